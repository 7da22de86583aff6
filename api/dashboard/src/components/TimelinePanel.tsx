/** A post's counters over time (directive 4.3: metrics timeline). */

import { useCallback, useMemo } from "preact/hooks";

import type { PostDetailAnswer, TimelinePoint } from "../api";
import type { Palette } from "../charts/base";
import { added, formatPoint, remark, timelineOption } from "../charts/timeline";
import { dateTime, exact } from "../format";
import { CHART_METRICS, type ChartMetric, TERMS, chartMetric } from "../glossary";
import { usePage } from "../page";
import { Chart } from "./Chart";
import { MetricPicker } from "./MetricPicker";
import { Panel, TableToggle } from "./Panel";

function TimelineTable({ points, metric, zone }: { points: readonly TimelinePoint[]; metric: ChartMetric; zone: string }) {
  const isRate = TERMS[metric].kind === "rate";
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label={`${TERMS[metric].label} by reading`}>
      <table class="table table--plain">
        <thead>
          <tr>
            <th scope="col">Read at</th>
            <th scope="col" class="number">{TERMS[metric].label}</th>
            {!isRate && <th scope="col" class="number">New</th>}
            <th scope="col">Remark</th>
          </tr>
        </thead>
        <tbody>
          {points.map((point) => (
            <tr key={point.snapshot_id}>
              <th scope="row">{dateTime(point.collected_at, zone)}</th>
              <td class="number">{formatPoint(metric, point[metric])}</td>
              {!isRate && <td class="number">{exact(added(point, metric))}</td>}
              <td class="muted">{remark(point)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

export function TimelinePanel({ answer, zone }: { answer: PostDetailAnswer; zone: string }) {
  const { state } = usePage();
  const metric = chartMetric(state.metric);
  const { timeline: points, post } = answer;
  const view = useMemo(
    () => ({ points, metric, publishedAt: post.published_at, zone }),
    [points, metric, post.published_at, zone],
  );
  const option = useCallback((palette: Palette) => timelineOption(view, palette), [view]);
  const known = CHART_METRICS.filter((name) => points.some((point) => point[name] !== null));
  return (
    <Panel
      id="timeline"
      title={<>{TERMS[metric].label} <span class="muted">since publication</span></>}
      about={`What is ${TERMS[metric].label}?`}
      definition={TERMS[metric].definition}
      tools={<><MetricPicker metric={metric} known={known} /><TableToggle /></>}
    >
      <div class="chart-place">
        {state.table ? (
          <TimelineTable points={points} metric={metric} zone={zone} />
        ) : (
          <Chart label={`${TERMS[metric].label} since publication. The table button shows the figures.`} option={option} />
        )}
      </div>
    </Panel>
  );
}
