/** A post's counter over its life, snapshot by snapshot, and what each snapshot added. */

import type { TimelinePoint } from "../api";
import { dateTime, day, exact, percent, tick } from "../format";
import { type ChartMetric, TERMS } from "../glossary";
import { dayOf } from "../period";
import { type ChartOption, type Palette, TIGHT_GRID, escapeHtml, tipRow, tipStyle } from "./base";

const DAY_MS = 86_400_000;
/** About so many day labels fit below the chart. */
const LABELS = 9;

export interface TimelineView {
  readonly points: readonly TimelinePoint[];
  readonly metric: ChartMetric;
  readonly publishedAt: string;
  readonly zone: string;
}

/** What happened at a snapshot that its number alone does not say. */
export function remark(point: TimelinePoint): string {
  if (point.source === "file") return "lifetime total from a file";
  if (point.basis === "lifetime") return "first reading of an older post";
  if (point.is_correction) return "corrected downwards by the platform";
  if (point.basis === "catch_up") return "first reading after a long pause";
  return point.is_gap ? "readings were missed before this one" : "";
}

export function formatPoint(metric: ChartMetric, value: number | null): string {
  return TERMS[metric].kind === "rate" ? percent(value) : exact(value);
}

/** What a snapshot added to a counter; rates have no increments. */
export function added(point: TimelinePoint, metric: ChartMetric): number | null {
  return metric === "engagement_rate" ? null : point.new[metric];
}

function tooltip(view: TimelineView, index: number, color: string): string {
  const point = view.points[index];
  if (!point) return "";
  const { metric } = view;
  const rows = [tipRow(TERMS[metric].label, formatPoint(metric, point[metric]), color)];
  const gain = added(point, metric);
  if (gain !== null) rows.push(tipRow("since the reading before", `${gain > 0 ? "+" : ""}${exact(gain)}`));
  const words = remark(point);
  const note = words && `<div class="chart-tip-note">${escapeHtml(words)}</div>`;
  return `<div class="chart-tip-head">${dateTime(point.collected_at, view.zone)}</div>${rows.join("")}${note}`;
}

export function timelineOption(view: TimelineView, palette: Palette): ChartOption {
  const { points, metric, publishedAt, zone } = view;
  const rate = TERMS[metric].kind === "rate";
  const color = palette.parts[0] ?? palette.text;
  const start = Date.parse(publishedAt);
  const end = Math.max(start + DAY_MS, ...points.map((point) => Date.parse(point.collected_at)));
  return {
    textStyle: { fontFamily: palette.font },
    grid: TIGHT_GRID,
    xAxis: {
      type: "value",
      min: start,
      max: end,
      interval: Math.ceil((end - start) / DAY_MS / LABELS) * DAY_MS,
      splitLine: { show: false },
      axisLine: { lineStyle: { color: palette.line } },
      axisTick: { show: false },
      axisLabel: {
        color: palette.muted,
        fontSize: 12,
        margin: 12,
        hideOverlap: true,
        showMaxLabel: false,
        formatter: (moment: number) => day(dayOf(moment, zone)),
      },
    },
    yAxis: {
      type: "value",
      splitNumber: 4,
      axisLine: { show: false },
      axisTick: { show: false },
      ...(rate ? {} : { minInterval: 1 }),
      axisLabel: { color: palette.muted, fontSize: 12, formatter: rate ? percent : tick },
      splitLine: { lineStyle: { color: palette.line } },
    },
    tooltip: {
      trigger: "axis",
      ...tipStyle(palette),
      axisPointer: { type: "line", lineStyle: { color: palette.muted, type: "solid", opacity: 0.4 } },
      formatter: (hover) => {
        const [first] = Array.isArray(hover) ? hover : [hover];
        return first ? tooltip(view, first.dataIndex, color) : "";
      },
    },
    series: [
      {
        type: "line",
        name: TERMS[metric].label,
        animation: false,
        connectNulls: false,
        symbol: "circle",
        symbolSize: points.length === 1 ? 10 : 6,
        showSymbol: points.length < 60,
        itemStyle: { color, borderColor: palette.surface, borderWidth: 1.5 },
        lineStyle: { color, width: 2 },
        areaStyle: { color, opacity: 0.14 },
        emphasis: { disabled: true },
        data: points.map((point) => [Date.parse(point.collected_at), point[metric] ?? "-"]),
      },
    ],
  };
}
