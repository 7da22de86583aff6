import { describe, expect, it } from "vitest";

import { DEFAULTS, type PageState, readState, writeState } from "../src/url";

const read = (address: string) => readState(new URL(address, "http://nexus.test"));

describe("the address", () => {
  it("is bare for the defaults", () => {
    const state = read("/");
    expect(state).toEqual({ view: { name: "overview" }, ...DEFAULTS });
    expect(writeState(state)).toBe("/");
  });

  it("carries every choice there and back", () => {
    const state: PageState = {
      view: { name: "platform", platform: "linkedin" },
      period: { window: "custom", from: "2026-01-01", to: "2026-02-28" },
      accounts: ["a-1", "b-2"],
      compare: false,
      metric: "likes",
      hidden: ["twitter"],
      sort: "impressions",
      order: "asc",
      table: true,
    };
    const address = writeState(state);
    expect(address).toBe(
      "/platform/linkedin?window=custom&from=2026-01-01&to=2026-02-28&accounts=a-1,b-2&compare=none" +
        "&metric=likes&hide=twitter&sort=impressions&order=asc&table=on",
    );
    expect(read(address)).toEqual(state);
  });

  it("falls back to the defaults where it makes no sense", () => {
    for (const address of [
      "/?window=century",
      "/?window=custom&from=2026-02-31&to=2026-03-01",
      "/?window=custom&from=2026-03-02&to=2026-03-01",
      "/?window=custom",
    ]) {
      expect(read(address).period).toEqual(DEFAULTS.period);
    }
    expect(read("/?metric=<script>").metric).toBe("impressions");
    expect(read("/?order=sideways").order).toBe("desc");
  });

  it("names the views", () => {
    expect(read("/posts/5f0c").view).toEqual({ name: "post", postId: "5f0c" });
    expect(read("/platform").view).toEqual({ name: "overview" });
    expect(read("/nonsense").view).toEqual({ name: "overview" });
  });
});
