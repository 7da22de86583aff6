/** Platforms side by side: what each gets per 1,000 impressions, so that size does not decide. */

import type { Metric, PlatformComparison } from "../api";
import { LOCALE, UNKNOWN, tick } from "../format";
import { platformLook } from "../platforms";
import { type ChartOption, type Palette, TIGHT_GRID, escapeHtml, tipRow, tipStyle } from "./base";

interface Kind {
  readonly label: string;
  /** The counters of this kind; a platform has one of them. */
  readonly metrics: readonly Metric[];
}

export const KINDS: readonly Kind[] = [
  { label: "Likes", metrics: ["likes"] },
  { label: "Comments, replies", metrics: ["comments", "replies"] },
  { label: "Shares, reposts", metrics: ["shares", "retweets"] },
  { label: "Quotes", metrics: ["quotes"] },
  { label: "Clicks", metrics: ["clicks"] },
  { label: "Bookmarks", metrics: ["bookmarks"] },
];

const oneDecimal = new Intl.NumberFormat(LOCALE, { minimumFractionDigits: 1, maximumFractionDigits: 1 });

/** Per 1,000 impressions; null where the platform does not offer the kind, or it is not known. */
export function perThousand(platform: PlatformComparison, kind: Kind): number | null {
  const value = kind.metrics.map((metric) => platform[metric]).find((count) => count !== null);
  if (value === null || value === undefined || !platform.impressions) return null;
  return (value / platform.impressions) * 1000;
}

export function formatPerThousand(value: number | null): string {
  return value === null ? UNKNOWN : oneDecimal.format(value);
}

export function compareOption(comparison: readonly PlatformComparison[], palette: Palette): ChartOption {
  const labels = KINDS.map(({ label }) => label);
  return {
    textStyle: { fontFamily: palette.font },
    grid: { ...TIGHT_GRID, top: 4 },
    xAxis: {
      type: "value",
      splitNumber: 4,
      axisLabel: { color: palette.muted, fontSize: 12, formatter: tick },
      splitLine: { lineStyle: { color: palette.line } },
    },
    yAxis: {
      type: "category",
      inverse: true,
      data: labels,
      axisLine: { lineStyle: { color: palette.line } },
      axisTick: { show: false },
      axisLabel: { color: palette.text, fontSize: 12.5, margin: 12 },
    },
    tooltip: {
      trigger: "axis",
      ...tipStyle(palette),
      axisPointer: { type: "shadow", shadowStyle: { color: palette.muted, opacity: 0.08 } },
      formatter: (hover) => {
        const [first] = Array.isArray(hover) ? hover : [hover];
        const kind = first && KINDS[first.dataIndex];
        if (!kind) return "";
        const rows = comparison.map((one) =>
          tipRow(
            platformLook(one.platform).label,
            formatPerThousand(perThousand(one, kind)),
            palette.series(one.platform),
          ),
        );
        return `<div class="chart-tip-head">${escapeHtml(kind.label)} per 1,000 impressions</div>${rows.join("")}`;
      },
    },
    series: comparison.map((one) => ({
      type: "bar" as const,
      id: one.platform,
      name: platformLook(one.platform).label,
      barMaxWidth: 12,
      barGap: "20%",
      animation: false,
      emphasis: { disabled: true },
      itemStyle: { color: palette.series(one.platform), borderRadius: [0, 3, 3, 0] },
      data: KINDS.map((kind) => perThousand(one, kind)),
    })),
  };
}
