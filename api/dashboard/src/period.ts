/** Calendar arithmetic on plain local days ("2026-11-22"); the API owns the zones (METRICS.md 3). */

export const PRESETS = ["24h", "7d", "30d", "90d"] as const;
export type Preset = (typeof PRESETS)[number];
export type Day = string;

export type Period = { readonly window: Preset } | CustomPeriod;
export interface CustomPeriod {
  readonly window: "custom";
  readonly from: Day;
  readonly to: Day;
}

/** Length of a preset in days; 24h steps like a day. */
const LENGTH: Record<Preset, number> = { "24h": 1, "7d": 7, "30d": 30, "90d": 90 };

const DAY_MS = 86_400_000;
const DAY_PATTERN = /^\d{4}-\d{2}-\d{2}$/;

export function isDay(text: string | null | undefined): text is Day {
  if (!text || !DAY_PATTERN.test(text)) return false;
  const time = Date.parse(`${text}T00:00:00Z`);
  // Date.parse rolls 31 February over to March in some engines: it must come back unchanged.
  return !Number.isNaN(time) && new Date(time).toISOString().slice(0, 10) === text;
}

export function addDays(day: Day, days: number): Day {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY_MS).toISOString().slice(0, 10);
}

/** Whole days from `from` to `to`, both included: a single day is 1. */
export function lengthInDays(from: Day, to: Day): number {
  return Math.round((Date.parse(to) - Date.parse(from)) / DAY_MS) + 1;
}

/** The local day of an instant in an IANA zone. */
export function dayOf(instant: string | number | Date, zone: string): Day {
  const parts = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  }).formatToParts(new Date(instant));
  const part = (type: string) => parts.find((p) => p.type === type)?.value ?? "";
  return `${part("year")}-${part("month")}-${part("day")}`;
}

/**
 * The period one step earlier (-1) or later (+1): same length, touching the present one.
 * `last` is the newest day with data. A step that reaches it becomes the preset of that length
 * again; null where there is nothing later.
 */
export function step(period: Period, direction: -1 | 1, last: Day): Period | null {
  if (direction === 1 && (period.window !== "custom" || period.to >= last)) return null;
  if (period.window === "24h") {
    const yesterday = addDays(last, -1);
    return { window: "custom", from: yesterday, to: yesterday };
  }
  const shown =
    period.window === "custom" ? period : { from: addDays(last, 1 - LENGTH[period.window]), to: last };
  const length = lengthInDays(shown.from, shown.to);
  const from = addDays(shown.from, direction * length);
  const to = addDays(shown.to, direction * length);
  if (to < last) return { window: "custom", from, to };
  const preset = PRESETS.find((name) => LENGTH[name] === length);
  return preset ? { window: preset } : { window: "custom", from: addDays(last, 1 - length), to: last };
}
