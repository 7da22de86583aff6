/** Numbers and times as text. Unknown is a dash everywhere, never a zero (METRICS.md 1). */

export const UNKNOWN = "–";

/** The page speaks English, so numbers and months do too: the reader's English, where there is one. */
export const LOCALE =
  (typeof navigator === "undefined" ? [] : navigator.languages).find((tag) => /^en\b/.test(tag)) ??
  "en-GB";

type Maybe = number | null | undefined;
type Instant = string | number | Date;

const exactFormat = new Intl.NumberFormat(LOCALE);
const compactFormat = new Intl.NumberFormat(LOCALE, {
  notation: "compact",
  minimumSignificantDigits: 3,
  maximumSignificantDigits: 3,
});
const axisFormat = new Intl.NumberFormat(LOCALE, { notation: "compact", maximumSignificantDigits: 3 });
const percentFormat = new Intl.NumberFormat(LOCALE, {
  style: "percent",
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
});
const scoreFormat = new Intl.NumberFormat(LOCALE, {
  minimumFractionDigits: 1,
  maximumFractionDigits: 1,
});
const known = (value: Maybe): value is number => value !== null && value !== undefined;

export function exact(value: Maybe): string {
  return known(value) ? exactFormat.format(value) : UNKNOWN;
}

/** 12,345 stays whole below 10,000 and becomes 12.3K above it. */
export function compact(value: Maybe): string {
  if (!known(value)) return UNKNOWN;
  return Math.abs(value) < 10_000 ? exactFormat.format(value) : compactFormat.format(value);
}

/** For axes: as short as it goes. */
export function tick(value: number): string {
  return axisFormat.format(value);
}

export function percent(value: Maybe): string {
  return known(value) ? percentFormat.format(value) : UNKNOWN;
}

export function score(value: Maybe): string {
  return known(value) ? scoreFormat.format(value) : UNKNOWN;
}

/** A signed change of a count: 0.1234 is "+12.3%"; beyond 10-fold without a decimal. */
export function signedPercent(value: number): string {
  const digits = Math.abs(value) >= 10 ? 0 : 1;
  return new Intl.NumberFormat(LOCALE, {
    style: "percent",
    signDisplay: "exceptZero",
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  }).format(value);
}

/** A signed change of a rate in percentage points: 0.0042 is "+0.42 pp". */
export function signedPoints(value: number): string {
  const points = new Intl.NumberFormat(LOCALE, {
    signDisplay: "exceptZero",
    minimumFractionDigits: 2,
    maximumFractionDigits: 2,
  }).format(value * 100);
  return `${points} pp`;
}

const dayFormats = new Map<string, Intl.DateTimeFormat>();

function dayFormat(options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = JSON.stringify(options);
  const known = dayFormats.get(key);
  if (known) return known;
  const made = new Intl.DateTimeFormat(LOCALE, options);
  dayFormats.set(key, made);
  return made;
}

/** A plain day ("2026-11-22") as text; it has no zone, so it is shown without conversion. */
export function day(value: string, style: "short" | "long" = "short"): string {
  const options: Intl.DateTimeFormatOptions =
    style === "long"
      ? { weekday: "short", day: "numeric", month: "short", year: "numeric", timeZone: "UTC" }
      : { day: "numeric", month: "short", timeZone: "UTC" };
  return dayFormat(options).format(new Date(`${value}T00:00:00Z`));
}

export function dayRange(from: string, to: string): string {
  return dayFormat({ day: "numeric", month: "short", year: "numeric", timeZone: "UTC" }).formatRange(
    new Date(`${from}T00:00:00Z`),
    new Date(`${to}T00:00:00Z`),
  );
}

export function date(value: Instant, zone: string): string {
  return dayFormat({ day: "numeric", month: "short", year: "numeric", timeZone: zone }).format(
    new Date(value),
  );
}

export function dateTime(value: Instant, zone: string): string {
  return dayFormat({
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    timeZone: zone,
  }).format(new Date(value));
}

export function timeRange(from: Instant, to: Instant, zone: string): string {
  return dayFormat({
    day: "numeric",
    month: "short",
    hour: "2-digit",
    minute: "2-digit",
    timeZone: zone,
  }).formatRange(new Date(from), new Date(to));
}

export function time(value: Instant, zone: string): string {
  return dayFormat({ hour: "2-digit", minute: "2-digit", timeZone: zone }).format(new Date(value));
}

/** Below `limit` seconds an age is told in this unit. Written out: Intl's short forms are cryptic. */
const AGES: readonly [limit: number, seconds: number, unit: string][] = [
  [3_600, 60, "min"],
  [172_800, 3_600, "h"],
  [5_184_000, 86_400, "days"],
  [63_072_000, 2_592_000, "months"],
  [Infinity, 31_536_000, "years"],
];

/** "5 min ago"; a clock that runs ahead of ours counts as now. */
export function ago(value: Instant, now: Instant): string {
  const seconds = Math.max(0, (new Date(now).getTime() - new Date(value).getTime()) / 1000);
  if (seconds < 60) return "just now";
  for (const [limit, length, unit] of AGES) {
    if (seconds < limit) return `${exact(Math.floor(seconds / length))} ${unit} ago`;
  }
  return UNKNOWN;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${exact(count)} ${count === 1 ? one : many}`;
}
