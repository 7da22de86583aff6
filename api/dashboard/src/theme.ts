/** Light or dark: the system's choice until the reader makes one. `public/theme.js` applies it first. */

import { useEffect, useState } from "preact/hooks";

export type Theme = "light" | "dark";
const KEY = "theme";
const system = window.matchMedia("(prefers-color-scheme: dark)");

function systemTheme(): Theme {
  return system.matches ? "dark" : "light";
}

function currentTheme(): Theme {
  const chosen = document.documentElement.dataset["theme"];
  return chosen === "dark" || chosen === "light" ? chosen : systemTheme();
}

/** Turns to the other theme; choosing what the system has anyway follows the system again. */
export function toggleTheme(): void {
  const next: Theme = currentTheme() === "dark" ? "light" : "dark";
  if (next === systemTheme()) {
    delete document.documentElement.dataset["theme"];
    localStorage.removeItem(KEY);
  } else {
    document.documentElement.dataset["theme"] = next;
    localStorage.setItem(KEY, next);
  }
  window.dispatchEvent(new Event("themechange"));
}

export function useTheme(): Theme {
  const [theme, setTheme] = useState(currentTheme);
  useEffect(() => {
    const update = () => setTheme(currentTheme());
    system.addEventListener("change", update);
    window.addEventListener("themechange", update);
    return () => {
      system.removeEventListener("change", update);
      window.removeEventListener("themechange", update);
    };
  }, []);
  return theme;
}
