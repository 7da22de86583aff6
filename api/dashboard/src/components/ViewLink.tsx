/** A real link to another state of the page: opens in place, or in a new tab when asked to. */

import type { ComponentChildren } from "preact";

import { usePage } from "../page";
import type { PageState } from "../url";

interface Props {
  readonly to: Partial<PageState>;
  readonly class?: string;
  /** Whether this is where the reader is. */
  readonly current?: boolean;
  readonly children: ComponentChildren;
}

export function ViewLink({ to, current, children, ...rest }: Props) {
  const { go, href } = usePage();
  return (
    <a
      class={rest.class}
      href={href(to)}
      aria-current={current ? "page" : undefined}
      onClick={(event) => {
        if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
        event.preventDefault();
        go(to);
      }}
    >
      {children}
    </a>
  );
}
