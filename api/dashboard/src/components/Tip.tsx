/** A short text that explains its trigger: on hover, on focus, on tap; Escape puts it away. */

import type { ComponentChildren } from "preact";
import { useId, useLayoutEffect, useRef, useState } from "preact/hooks";

import { Info } from "./Icons";

interface Props {
  readonly text: ComponentChildren;
  /** Name of the trigger for assistive technology. */
  readonly label: string;
  readonly class?: string;
  readonly children?: ComponentChildren;
}

const MARGIN = 8;

export function Tip({ text, label, children, ...rest }: Props) {
  const [open, setOpen] = useState(false);
  const bubble = useRef<HTMLSpanElement>(null);
  const id = useId();

  // Listening begins with the bubble itself, not a frame later: a key may come at once.
  useLayoutEffect(() => {
    if (!open) return undefined;
    const escape = (event: KeyboardEvent) => {
      if (event.key === "Escape") setOpen(false);
    };
    document.addEventListener("keydown", escape);
    return () => document.removeEventListener("keydown", escape);
  }, [open]);

  useLayoutEffect(() => {
    // Centred on the trigger, then moved so that it never leaves the window.
    const element = bubble.current;
    if (!open || !element) return;
    element.style.setProperty("--shift", "0px");
    const box = element.getBoundingClientRect();
    const width = document.documentElement.clientWidth;
    const shift =
      box.left < MARGIN ? MARGIN - box.left : Math.min(0, width - MARGIN - box.right);
    element.style.setProperty("--shift", `${shift}px`);
  }, [open]);

  return (
    <span class="tip" onMouseEnter={() => setOpen(true)} onMouseLeave={() => setOpen(false)}>
      <button
        type="button"
        class={rest.class ?? "tip-button"}
        aria-label={label}
        aria-describedby={id}
        onFocus={() => setOpen(true)}
        onBlur={() => setOpen(false)}
        onClick={() => setOpen(true)}
      >
        {children ?? <Info />}
      </button>
      <span id={id} ref={bubble} role="tooltip" class="tip-bubble" hidden={!open}>
        {text}
      </span>
    </span>
  );
}
