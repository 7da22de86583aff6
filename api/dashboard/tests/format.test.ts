import { describe, expect, it } from "vitest";

import {
  ago,
  compact,
  day,
  dayRange,
  exact,
  percent,
  score,
  signedPercent,
  signedPoints,
} from "../src/format";

describe("numbers", () => {
  it("show the unknown as a dash and zero as zero", () => {
    for (const format of [exact, compact, percent, score]) {
      expect(format(null)).toBe("–");
      expect(format(undefined)).toBe("–");
      expect(format(0)).toMatch(/^0/);
    }
  });

  it("are whole up to 9,999 and compact beyond", () => {
    expect(compact(9_999)).toBe("9,999");
    expect(compact(10_000)).toMatch(/^10\.0K$/i);
    expect(compact(6_787_327)).toMatch(/^6\.79M$/i);
    expect(compact(-12_345)).toMatch(/^-12\.3K$/i);
  });

  it("write rates in percent with two decimals", () => {
    expect(percent(0.0312)).toBe("3.12%");
    expect(percent(0.00005)).toBe("0.01%");
  });

  it("carry a sign where they are changes", () => {
    expect(signedPercent(0.123)).toBe("+12.3%");
    expect(signedPercent(-0.5)).toBe("-50.0%");
    expect(signedPercent(23.4)).toBe("+2,340%");
    expect(signedPoints(0.0042)).toBe("+0.42 pp");
  });
});

describe("times", () => {
  it("show plain days without moving them into another zone", () => {
    expect(day("2026-11-22", "long")).toMatch(/22/);
    expect(dayRange("2026-11-22", "2026-11-22")).toMatch(/22 Nov 2026|Nov 22, 2026/);
  });

  it("tell an age in one unit", () => {
    const now = "2026-11-22T12:00:00Z";
    expect(ago("2026-11-22T11:59:40Z", now)).toBe("just now");
    expect(ago("2026-11-22T11:15:00Z", now)).toBe("45 min ago");
    expect(ago("2026-11-22T02:00:00Z", now)).toBe("10 h ago");
    expect(ago("2026-11-19T12:00:00Z", now)).toBe("3 days ago");
    expect(ago("2023-11-19T12:00:00Z", now)).toBe("3 years ago");
    expect(ago("2026-11-22T12:05:00Z", now)).toBe("just now");
  });
});
