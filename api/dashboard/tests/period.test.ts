import { describe, expect, it } from "vitest";

import { addDays, dayOf, isDay, lengthInDays, step } from "../src/period";

describe("days", () => {
  it("are read only when they exist", () => {
    expect(isDay("2026-02-28")).toBe(true);
    expect(isDay("2026-02-31")).toBe(false);
    expect(isDay("2026-2-3")).toBe(false);
    expect(isDay(null)).toBe(false);
  });

  it("cross months, leap days and clock changes", () => {
    expect(addDays("2024-02-28", 1)).toBe("2024-02-29");
    expect(addDays("2026-03-01", -1)).toBe("2026-02-28");
    expect(lengthInDays("2026-10-20", "2026-10-30")).toBe(11);
    expect(lengthInDays("2026-10-25", "2026-10-25")).toBe(1);
  });

  it("belong to a zone", () => {
    expect(dayOf("2026-11-22T23:30:00Z", "Europe/Berlin")).toBe("2026-11-23");
    expect(dayOf("2026-11-22T18:14:00Z", "Asia/Kathmandu")).toBe("2026-11-22");
    expect(dayOf("2026-11-22T18:15:00Z", "Asia/Kathmandu")).toBe("2026-11-23");
  });
});

describe("a step back and forth", () => {
  const last = "2026-11-22";
  const weekBefore = { from: "2026-11-09", to: "2026-11-15" };

  it("goes to the days just before, of the same number", () => {
    expect(step({ window: "7d" }, -1, last)).toEqual({ window: "custom", ...weekBefore });
  });

  it("comes back to the preset it left", () => {
    expect(step({ window: "custom", ...weekBefore }, 1, last)).toEqual({ window: "7d" });
  });

  it("has nowhere to go after the newest day", () => {
    expect(step({ window: "7d" }, 1, last)).toBeNull();
    expect(step({ window: "custom", from: last, to: last }, 1, last)).toBeNull();
  });

  it("turns the last 24 hours into yesterday, and back", () => {
    const yesterday = { from: "2026-11-21", to: "2026-11-21" };
    expect(step({ window: "24h" }, -1, last)).toEqual({ window: "custom", ...yesterday });
    expect(step({ window: "custom", ...yesterday }, 1, last)).toEqual({ window: "24h" });
  });

  it("never runs past the newest day with a length of its own", () => {
    const shown = { from: "2026-11-15", to: "2026-11-19" };
    expect(step({ window: "custom", ...shown }, 1, last)).toEqual({
      window: "custom",
      from: "2026-11-18",
      to: "2026-11-22",
    });
  });
});
