import { describe, expect, it } from "vitest";

import type { Bucket, Trend, TrendPoint } from "../src/api";
import { drawsBars, isLonely, splitOpen, tooltipHtml, total, trendOption } from "../src/charts/trend";

const EMPTY: TrendPoint = {
  impressions: null,
  likes: null,
  comments: null,
  shares: null,
  clicks: null,
  replies: null,
  retweets: null,
  quotes: null,
  bookmarks: null,
  engagements: null,
  engagements_core: null,
  engagement_rate: null,
};

const point = (impressions: number | null): TrendPoint => ({ ...EMPTY, impressions });

const bucket = (n: number, partial = false): Bucket => ({
  day: `2026-11-${String(n).padStart(2, "0")}`,
  start: `2026-11-${String(n).padStart(2, "0")}T00:00:00Z`,
  end: `2026-11-${String(n + 1).padStart(2, "0")}T00:00:00Z`,
  partial,
});

const TREND: Trend = {
  bucket: "day",
  buckets: [bucket(1), bucket(2), bucket(3), bucket(4, true)],
  series: [
    { platform: "linkedin", points: [point(10), point(null), point(30), point(5)] },
    { platform: "mastodon<", points: [point(1), point(2), point(null), point(4)] },
  ],
};

const PALETTE = {
  font: "sans-serif",
  text: "black",
  muted: "grey",
  line: "silver",
  surface: "white",
  raised: "white",
  series: () => "blue",
  parts: ["red", "green"],
};

const view = { trend: TREND, metric: "impressions", hidden: [], zone: "UTC" } as const;

interface Series {
  readonly id: string;
  readonly data: readonly { readonly value: number | null }[];
}

describe("the trend", () => {
  it("keeps the unknown as a gap and draws the running day apart", () => {
    const { settled, open } = splitOpen([10, null, 30, 5], TREND.buckets);
    expect(settled).toEqual([10, null, 30, null]);
    expect(open).toEqual([null, null, 30, 5]);
  });

  it("gives a value between two gaps a dot of its own", () => {
    expect(isLonely([null, 4, null], 1)).toBe(true);
    expect(isLonely([4], 0)).toBe(true);
    expect(isLonely([null, 4, 5], 1)).toBe(false);
    expect(isLonely([null, null], 0)).toBe(false);
  });

  it("sums counts and leaves rates alone", () => {
    expect(total("impressions", [10, null, 30, 5])).toBe(45);
    expect(total("impressions", [null, null])).toBeNull();
    expect(total("engagement_rate", [0.1, 0.2])).toBeNull();
  });

  it("has no series for a platform that is switched off", () => {
    const series = trendOption({ ...view, hidden: ["linkedin"] }, PALETTE).series as Series[];
    expect(series.map(({ id }) => id)).toEqual(["mastodon<-settled", "mastodon<-open"]);
  });

  it("draws bars where a line would be mostly gaps", () => {
    const line = (values: (number | null)[]) => [{ platform: "x", values }];
    expect(drawsBars(TREND, line([1, 2, null, 3]))).toBe(false);
    expect(drawsBars(TREND, line([1, null, null, 3]))).toBe(true);
    expect(drawsBars(TREND, line([null, null, null, null]))).toBe(false);
    expect(drawsBars({ ...TREND, bucket: "6h" }, line([1, 2, 3, 4]))).toBe(true);
  });

  it("hands nulls to the chart, never zeros", () => {
    const series = trendOption(view, PALETTE).series as Series[];
    expect(series[0]?.data.map(({ value }) => value)).toEqual([10, null, 30, null]);
  });

  it("says in the tooltip what is unknown and what still runs, and escapes names", () => {
    expect(tooltipHtml(view, 3, () => "blue")).toContain("so far");
    const html = tooltipHtml(view, 2, () => "blue");
    expect(html).toContain("–");
    expect(html).toContain("Mastodon&lt;");
    expect(html).not.toContain("Mastodon<<");
  });
});
