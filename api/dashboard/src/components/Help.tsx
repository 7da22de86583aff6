/** The keyboard's keys, in a modal dialog of the browser's own (focus stays in, Escape closes). */

import { useEffect, useRef } from "preact/hooks";

import type { Shortcut } from "../keyboard";

interface Props {
  readonly shortcuts: readonly Shortcut[];
  readonly onClose: () => void;
}

export function Help({ shortcuts, onClose }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      class="dialog"
      aria-labelledby="help-title"
      onClose={onClose}
      onClick={(event) => {
        if (event.target === dialog.current) dialog.current?.close();
      }}
    >
      <div class="dialog-body">
        <h2 id="help-title" class="dialog-title">Keyboard</h2>
        <dl class="keys">
          {shortcuts.map(({ key, shown, meaning }) => (
            <div class="key-line" key={key}>
              <dt><kbd>{shown}</kbd></dt>
              <dd>{meaning}</dd>
            </div>
          ))}
        </dl>
        <form method="dialog">
          <button class="button button--block" type="submit">Close</button>
        </form>
      </div>
    </dialog>
  );
}
