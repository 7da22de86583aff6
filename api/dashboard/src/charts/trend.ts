/** The trend as an ECharts option: pure, so that gaps and open days can be tested without a browser. */

import type { BarSeriesOption, LineSeriesOption } from "echarts/charts";

import type { Bucket, Trend } from "../api";
import { day, exact, percent, tick, time } from "../format";
import { type ChartMetric, TERMS } from "../glossary";
import { platformLook } from "../platforms";
import { type ChartOption, type Palette, TIGHT_GRID, escapeHtml, tipRow, tipStyle } from "./base";

export interface TrendView {
  readonly trend: Trend;
  readonly metric: ChartMetric;
  readonly hidden: readonly string[];
  readonly zone: string;
}

/** A platform's values of one metric, one per bucket; null where nothing was read. */
export interface Line {
  readonly platform: string;
  readonly values: readonly (number | null)[];
}

export function lines(trend: Trend, metric: ChartMetric): Line[] {
  return trend.series.map(({ platform, points }) => ({
    platform,
    values: points.map((point) => point[metric]),
  }));
}

export function formatValue(metric: ChartMetric, value: number | null): string {
  return TERMS[metric].kind === "rate" ? percent(value) : exact(value);
}

/** A window's total is the sum of its buckets for counts; rates do not add up. */
export function total(metric: ChartMetric, values: readonly (number | null)[]): number | null {
  if (TERMS[metric].kind === "rate") return null;
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : known.reduce((sum, value) => sum + value, 0);
}

export function bucketLabel(bucket: Bucket, trend: Trend, zone: string, long = false): string {
  if (trend.bucket === "day") return day(bucket.day, long ? "long" : "short");
  const start = time(bucket.start, zone);
  return long ? `${day(bucket.day, "long")}, ${start} – ${time(bucket.end, zone)}` : start;
}

/**
 * A line cut in two: what is settled, and the dashed step into buckets that still run.
 * Both hold the last settled point, so that they meet.
 */
export function splitOpen(
  values: readonly (number | null)[],
  buckets: readonly Bucket[],
): { settled: (number | null)[]; open: (number | null)[] } {
  const isOpen = (index: number) => buckets[index]?.partial ?? false;
  return {
    settled: values.map((value, index) => (isOpen(index) ? null : value)),
    open: values.map((value, index) => (isOpen(index) || isOpen(index + 1) ? value : null)),
  };
}

/** A point with a gap on both sides draws no line: it needs a dot to be seen at all. */
export function isLonely(values: readonly (number | null)[], index: number): boolean {
  const missing = (at: number) => values[at] === null || values[at] === undefined;
  return !missing(index) && missing(index - 1) && missing(index + 1);
}

export function tooltipHtml(view: TrendView, index: number, color: Palette["series"]): string {
  const { trend, metric, hidden, zone } = view;
  const bucket = trend.buckets[index];
  if (!bucket) return "";
  const shown = lines(trend, metric).filter(({ platform }) => !hidden.includes(platform));
  const rows = shown.map(({ platform, values }) =>
    tipRow(platformLook(platform).label, formatValue(metric, values[index] ?? null), color(platform)),
  );
  const sum = total(metric, shown.map(({ values }) => values[index] ?? null));
  if (shown.length > 1 && sum !== null) rows.push(tipRow("Total", formatValue(metric, sum)));
  const open = bucket.partial ? '<div class="chart-tip-note">so far, still running</div>' : "";
  return `<div class="chart-tip-head">${escapeHtml(bucketLabel(bucket, trend, zone, true))}</div>${rows.join("")}${open}`;
}

/** More gaps than line: posts known from files alone count on the day they were published. */
const SPARSE_BELOW = 0.6;

/** Whether bars say more than a line that is mostly interrupted. Six-hour buckets are always bars. */
export function drawsBars(trend: Trend, shown: readonly Line[]): boolean {
  if (trend.bucket === "6h") return true;
  const known = shown.flatMap(({ values }) => values.filter((value) => value !== null)).length;
  return known > 0 && known < SPARSE_BELOW * shown.length * trend.buckets.length;
}

function lineSeries(view: TrendView, line: Line, palette: Palette): LineSeriesOption[] {
  const look = platformLook(line.platform);
  const color = palette.series(line.platform);
  const { settled, open } = splitOpen(line.values, view.trend.buckets);
  const base: LineSeriesOption = {
    type: "line",
    name: look.label,
    symbol: look.symbol,
    symbolSize: 7,
    connectNulls: false,
    itemStyle: { color, borderColor: palette.surface, borderWidth: 1.5 },
    emphasis: { disabled: true },
    animation: false,
  };
  const withDots = (values: (number | null)[]) =>
    values.map((value, index) => ({
      value,
      ...(isLonely(line.values, index) ? {} : { symbol: "none" }),
    }));
  return [
    {
      ...base,
      id: `${line.platform}-settled`,
      data: withDots(settled),
      lineStyle: { color, width: 2 },
      areaStyle: { color, opacity: 0.07 },
    },
    {
      ...base,
      id: `${line.platform}-open`,
      data: open.map((value, index) => ({
        value,
        ...(view.trend.buckets[index]?.partial ? {} : { symbol: "none" }),
      })),
      itemStyle: { color: palette.surface, borderColor: color, borderWidth: 2 },
      lineStyle: { color, width: 2, type: [4, 4] },
    },
  ];
}

function barSeries(view: TrendView, line: Line, palette: Palette): BarSeriesOption {
  const color = palette.series(line.platform);
  return {
    type: "bar",
    id: `${line.platform}-bars`,
    name: platformLook(line.platform).label,
    barMaxWidth: view.trend.bucket === "6h" ? 44 : 18,
    barMinWidth: 1,
    barGap: "12%",
    animation: false,
    emphasis: { disabled: true },
    data: line.values.map((value, index) => ({
      value,
      itemStyle: view.trend.buckets[index]?.partial
        ? { color, opacity: 0.35, borderColor: color, borderType: "dashed", borderRadius: [3, 3, 0, 0] }
        : { color, borderRadius: [3, 3, 0, 0] },
    })),
  };
}

/** 2.00% is 2% on an axis. */
const shortPercent = (value: number) => percent(value).replace(/\.?0+%$/, "%");

export function trendOption(view: TrendView, palette: Palette): ChartOption {
  const { trend, metric, hidden, zone } = view;
  const rate = TERMS[metric].kind === "rate";
  const shown = lines(trend, metric).filter(({ platform }) => !hidden.includes(platform));
  const bars = drawsBars(trend, shown);
  return {
    textStyle: { fontFamily: palette.font },
    grid: TIGHT_GRID,
    xAxis: {
      type: "category",
      boundaryGap: bars,
      data: trend.buckets.map((bucket) => bucketLabel(bucket, trend, zone)),
      axisLine: { lineStyle: { color: palette.line } },
      axisTick: { show: false },
      axisLabel: { color: palette.muted, fontSize: 12, margin: 12, hideOverlap: true },
    },
    yAxis: {
      type: "value",
      splitNumber: 4,
      ...(rate ? {} : { minInterval: 1 }),
      axisLabel: {
        color: palette.muted,
        fontSize: 12,
        formatter: (value: number) => (rate ? shortPercent(value) : tick(value)),
      },
      splitLine: { lineStyle: { color: palette.line } },
    },
    tooltip: {
      trigger: "axis",
      ...tipStyle(palette),
      axisPointer: bars
        ? { type: "shadow", shadowStyle: { color: palette.muted, opacity: 0.08 } }
        : { type: "line", lineStyle: { color: palette.muted, type: "solid", opacity: 0.4 } },
      formatter: (hover) => {
        const [first] = Array.isArray(hover) ? hover : [hover];
        return first ? tooltipHtml(view, first.dataIndex, palette.series) : "";
      },
    },
    series: shown.flatMap((line): (LineSeriesOption | BarSeriesOption)[] =>
      bars ? [barSeries(view, line, palette)] : lineSeries(view, line, palette),
    ),
  };
}
