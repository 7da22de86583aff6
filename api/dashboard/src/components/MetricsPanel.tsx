/** Every metric of a platform in the period, each with its change. */

import type { MetricRow, PlatformAnswer } from "../api";
import { compact, dayRange, exact } from "../format";
import { HISTORY_DEFINITION, TERMS } from "../glossary";
import { Change } from "./Change";
import { Panel } from "./Panel";
import { Tip } from "./Tip";

interface RowProps {
  readonly row: MetricRow;
  readonly answer: PlatformAnswer;
  readonly withHistory: boolean;
}

function Row({ row, answer, withHistory }: RowProps) {
  const { label, definition } = TERMS[row.metric];
  const { previous, coverage } = answer;
  return (
    <tr>
      <th scope="row">
        <span class="th-inner">
          {label}
          <Tip label={`What is ${label}?`} text={definition} />
        </span>
      </th>
      {row.offered ? (
        <>
          <td class="number">{exact(row.value)}</td>
          {withHistory && (
            <td class="number muted history-cell">
              {row.from_history ? (
                <Tip class="tip-text" label={`Of these ${exact(row.from_history)} from history`} text={HISTORY_DEFINITION}>
                  {compact(row.from_history)}
                </Tip>
              ) : null}
            </td>
          )}
          <td class="number">
            <Change
              change={row.change}
              coverage={coverage}
              before={exact(row.previous_observed)}
              previous={previous ? dayRange(previous.from, previous.to) : ""}
            />
          </td>
        </>
      ) : (
        <>
          <td class="number">–</td>
          <td class="number muted" colSpan={withHistory ? 2 : 1}>not offered</td>
        </>
      )}
    </tr>
  );
}

export function MetricsPanel({ answer }: { answer: PlatformAnswer }) {
  const withHistory = answer.metrics.some((row) => row.from_history);
  return (
    <Panel id="metrics" title="Every metric">
      <table class="table table--plain table--metrics" aria-labelledby="metrics-title">
        <thead>
          <tr>
            <th scope="col">Metric</th>
            <th scope="col" class="number">In the period</th>
            {withHistory && <th scope="col" class="number history-cell">from history</th>}
            <th scope="col" class="number">Change</th>
          </tr>
        </thead>
        <tbody>
          {answer.metrics.map((row) => <Row key={row.metric} row={row} answer={answer} withHistory={withHistory} />)}
        </tbody>
      </table>
    </Panel>
  );
}
