/** Chooses the metric of the page's charts; one that is nowhere known says so. */

import { CHART_METRICS, type ChartMetric, TERMS } from "../glossary";
import { usePage } from "../page";

interface Props {
  readonly metric: ChartMetric;
  readonly known: readonly ChartMetric[];
}

export function MetricPicker({ metric, known }: Props) {
  const { go } = usePage();
  return (
    <label class="field">
      <span class="sr-only">Metric of the chart</span>
      <select
        class="select"
        value={metric}
        onChange={(event) => go({ metric: event.currentTarget.value }, { replace: true })}
      >
        {CHART_METRICS.map((name) => (
          <option key={name} value={name}>
            {TERMS[name].label}
            {known.includes(name) ? "" : " – not known"}
          </option>
        ))}
      </select>
    </label>
  );
}
