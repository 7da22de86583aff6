/** Keyboard keys of the page, in one table that the help overlay shows too. */

import { useLayoutEffect } from "preact/hooks";

export interface Shortcut {
  /** As KeyboardEvent.key gives it. */
  readonly key: string;
  readonly shown: string;
  readonly meaning: string;
  readonly run: () => void;
}

const TYPING = "input:not([type=checkbox]), select, textarea, [contenteditable=true]";

function isForThePage(event: KeyboardEvent): boolean {
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return false;
  const target = event.target;
  if (target instanceof Element && target.closest(TYPING)) return false;
  return document.querySelector("dialog[open]") === null;
}

export function useShortcuts(shortcuts: readonly Shortcut[]): void {
  // In the same step as the new state: two keys in quick succession must not act on the old one.
  useLayoutEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (!isForThePage(event)) return;
      const shortcut = shortcuts.find(({ key }) => key === event.key);
      if (!shortcut) return;
      event.preventDefault();
      shortcut.run();
    };
    document.addEventListener("keydown", onKey);
    return () => document.removeEventListener("keydown", onKey);
  }, [shortcuts]);
}
