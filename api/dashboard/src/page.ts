/** The page's state, held in the address bar and shared with every component. */

import { createContext } from "preact";
import { useCallback, useContext, useEffect, useMemo, useState } from "preact/hooks";

import { type PageState, readState, writeState } from "./url";

export interface Page {
  readonly state: PageState;
  /** Changes part of the state; `replace` leaves no entry in the history. */
  readonly go: (change: Partial<PageState>, options?: { replace?: boolean }) => void;
  /** The address a change leads to, for real links. */
  readonly href: (change: Partial<PageState>) => string;
}

export function usePageState(): Page {
  const [address, setAddress] = useState(() => window.location.href);
  useEffect(() => {
    const update = () => setAddress(window.location.href);
    window.addEventListener("popstate", update);
    return () => window.removeEventListener("popstate", update);
  }, []);
  const state = useMemo(() => readState(new URL(address)), [address]);
  const href = useCallback((change: Partial<PageState>) => writeState({ ...state, ...change }), [state]);
  const go = useCallback<Page["go"]>(
    (change, options) => {
      // The address, not the last render, is the present: several changes may come in one step.
      const present = readState(new URL(window.location.href));
      const next = new URL(writeState({ ...present, ...change }), window.location.href).href;
      if (next === window.location.href) return;
      if (options?.replace) window.history.replaceState(null, "", next);
      else window.history.pushState(null, "", next);
      setAddress(next);
      if (change.view) {
        window.scrollTo(0, 0);
        // A new view is a new page to those who hear it.
        document.getElementById("main")?.focus({ preventScroll: true });
      }
    },
    [],
  );
  return useMemo(() => ({ state, go, href }), [state, go, href]);
}

export const PageContext = createContext<Page | null>(null);

export function usePage(): Page {
  const page = useContext(PageContext);
  if (!page) throw new Error("usePage needs a PageContext above it");
  return page;
}
