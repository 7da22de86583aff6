/** All that the page shows is in its address: read and written here, and nowhere else. */

import { type Period, PRESETS, isDay } from "./period";

export type View =
  | { readonly name: "overview" }
  | { readonly name: "platform"; readonly platform: string }
  | { readonly name: "post"; readonly postId: string };

export type Order = "asc" | "desc";

export interface PageState {
  readonly view: View;
  readonly period: Period;
  /** Account ids; empty means all of them. */
  readonly accounts: readonly string[];
  readonly compare: boolean;
  /** The metric of the trend chart. */
  readonly metric: string;
  /** Platforms switched off in the chart's legend. */
  readonly hidden: readonly string[];
  readonly sort: string;
  readonly order: Order;
  /** Data tables shown in place of charts. */
  readonly table: boolean;
}

export const DEFAULTS = {
  period: { window: "30d" },
  accounts: [],
  compare: true,
  metric: "impressions",
  hidden: [],
  sort: "engagement_score",
  order: "desc",
  table: false,
} as const satisfies Omit<PageState, "view">;

const NAME = /^[a-z_]+$/;

function readPeriod(query: URLSearchParams): Period {
  const window = query.get("window");
  const from = query.get("from");
  const to = query.get("to");
  if (window === "custom" && isDay(from) && isDay(to) && from <= to) return { window, from, to };
  const preset = PRESETS.find((name) => name === window);
  return preset ? { window: preset } : DEFAULTS.period;
}

function readView(path: string): View {
  const [first, second, third] = path.split("/").filter(Boolean).map(decodeURIComponent);
  if (third === undefined) {
    if (first === "platform" && second) return { name: "platform", platform: second };
    if (first === "posts" && second) return { name: "post", postId: second };
  }
  return { name: "overview" };
}

function readName(query: URLSearchParams, key: string, fallback: string): string {
  const value = query.get(key);
  return value && NAME.test(value) ? value : fallback;
}

function readList(query: URLSearchParams, key: string): string[] {
  return (query.get(key) ?? "").split(",").filter(Boolean);
}

export function readState(url: URL): PageState {
  const query = url.searchParams;
  return {
    view: readView(url.pathname),
    period: readPeriod(query),
    accounts: readList(query, "accounts"),
    compare: query.get("compare") !== "none",
    metric: readName(query, "metric", DEFAULTS.metric),
    hidden: readList(query, "hide"),
    sort: readName(query, "sort", DEFAULTS.sort),
    order: query.get("order") === "asc" ? "asc" : "desc",
    table: query.get("table") === "on",
  };
}

function viewPath(view: View): string {
  if (view.name === "platform") return `/platform/${encodeURIComponent(view.platform)}`;
  return view.name === "post" ? `/posts/${encodeURIComponent(view.postId)}` : "/";
}

/** The address of a state; what equals the default is left out, so that links stay short. */
export function writeState(state: PageState): string {
  const query = new URLSearchParams();
  const { period } = state;
  if (period.window !== DEFAULTS.period.window) query.set("window", period.window);
  if (period.window === "custom") {
    query.set("from", period.from);
    query.set("to", period.to);
  }
  if (state.accounts.length > 0) query.set("accounts", state.accounts.join(","));
  if (!state.compare) query.set("compare", "none");
  if (state.metric !== DEFAULTS.metric) query.set("metric", state.metric);
  if (state.hidden.length > 0) query.set("hide", state.hidden.join(","));
  if (state.sort !== DEFAULTS.sort) query.set("sort", state.sort);
  if (state.order !== DEFAULTS.order) query.set("order", state.order);
  if (state.table) query.set("table", "on");
  // A comma needs no escape in a query, and links are read by people.
  const text = query.toString().replaceAll("%2C", ",");
  return viewPath(state.view) + (text ? `?${text}` : "");
}
