/** How the period went, platform by platform: a chart, and the same figures as a table. */

import { useCallback, useEffect, useMemo } from "preact/hooks";

import type { Trend } from "../api";
import type { Palette } from "../charts/base";
import { bucketLabel, formatValue, lines, total, trendOption } from "../charts/trend";
import { compact, exact } from "../format";
import { CHART_METRICS, type ChartMetric, TERMS, chartMetric } from "../glossary";
import { usePage } from "../page";
import { platformLook } from "../platforms";
import { Chart, loadCharts } from "./Chart";
import { MetricPicker } from "./MetricPicker";
import { Panel, TableToggle } from "./Panel";
import { Skeleton } from "./Skeleton";

interface Props {
  readonly trend: Trend;
  readonly zone: string;
}

function Legend({ trend, metric }: { trend: Trend; metric: ChartMetric }) {
  const { state, go } = usePage();
  const toggle = (platform: string) => {
    const hidden = state.hidden.includes(platform)
      ? state.hidden.filter((name) => name !== platform)
      : [...state.hidden, platform];
    go({ hidden }, { replace: true });
  };
  return (
    <ul class="legend" aria-label="Series">
      {lines(trend, metric).map(({ platform, values }) => {
        const sum = total(metric, values);
        const unknown = values.every((value) => value === null);
        return (
          <li key={platform}>
            <button
              type="button"
              class="legend-item"
              aria-pressed={!state.hidden.includes(platform)}
              onClick={() => toggle(platform)}
            >
              <span class={`swatch swatch--${platformLook(platform).symbol} series--${platform}`} />
              {platformLook(platform).label}
              {sum !== null && <span class="legend-total" title={exact(sum)}>{compact(sum)}</span>}
              {unknown && <span class="legend-total">not known</span>}
            </button>
          </li>
        );
      })}
    </ul>
  );
}

function TrendTable({ trend, zone, metric }: Props & { metric: ChartMetric }) {
  const columns = lines(trend, metric);
  const isRate = TERMS[metric].kind === "rate";
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label={`${TERMS[metric].label} by bucket`}>
      <table class="table table--plain">
        <thead>
          <tr>
            <th scope="col">{trend.bucket === "day" ? "Day" : "Hours"}</th>
            {columns.map(({ platform }) => (
              <th scope="col" class="number" key={platform}>{platformLook(platform).label}</th>
            ))}
            {!isRate && <th scope="col" class="number">Total</th>}
          </tr>
        </thead>
        <tbody>
          {trend.buckets.map((bucket, index) => (
            <tr key={bucket.start}>
              <th scope="row">
                {bucketLabel(bucket, trend, zone, true)}
                {bucket.partial && <span class="badge">so far</span>}
              </th>
              {columns.map(({ platform, values }) => (
                <td class="number" key={platform}>{formatValue(metric, values[index] ?? null)}</td>
              ))}
              {!isRate && (
                <td class="number">{exact(total(metric, columns.map(({ values }) => values[index] ?? null)))}</td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function TrendPanel({ trend, zone }: Props) {
  const { state } = usePage();
  const metric = chartMetric(state.metric);
  const { hidden } = state;
  const view = useMemo(() => ({ trend, metric, hidden, zone }), [trend, metric, hidden, zone]);
  const option = useCallback((palette: Palette) => trendOption(view, palette), [view]);
  const known = CHART_METRICS.filter((name) =>
    lines(trend, name).some(({ values }) => values.some((value) => value !== null)),
  );
  const names = trend.series.map(({ platform }) => platformLook(platform).label).join(" and ");
  const per = trend.bucket === "day" ? "per day" : "per six hours";
  return (
    <Panel
      id="trend"
      title={<>{TERMS[metric].label} <span class="muted">{per}</span></>}
      definition={TERMS[metric].definition}
      about={`What is ${TERMS[metric].label}?`}
      legend={trend.series.length > 1 && <Legend trend={trend} metric={metric} />}
      tools={<><MetricPicker metric={metric} known={known} /><TableToggle /></>}
    >
      <div class="chart-place">
        {state.table ? (
          <TrendTable trend={trend} zone={zone} metric={metric} />
        ) : (
          <Chart label={`${TERMS[metric].label} ${per}: ${names}. The table button shows the figures.`} option={option} />
        )}
      </div>
    </Panel>
  );
}

export function TrendSkeleton() {
  useEffect(() => void loadCharts(), []);
  return (
    <section class="panel" aria-hidden="true">
      <header class="panel-head">
        <h2 class="panel-title"><Skeleton width="16ch" /></h2>
        <div class="panel-tools"><span class="select select--ghost" /></div>
      </header>
      <div class="chart-place chart-place--loading" />
    </section>
  );
}
