/** What a post's engagements are made of (directive 4.3: engagement breakdown). */

import { useCallback } from "preact/hooks";

import type { PostDetailAnswer } from "../api";
import type { Palette } from "../charts/base";
import { breakdownOption } from "../charts/breakdown";
import { compact, exact, percent } from "../format";
import { TERMS } from "../glossary";
import { Chart } from "./Chart";
import { Panel } from "./Panel";

export function BreakdownPanel({ answer }: { answer: PostDetailAnswer }) {
  const { breakdown, post } = answer;
  const option = useCallback((palette: Palette) => breakdownOption(breakdown, palette), [breakdown]);
  const { engagements } = post.counters;
  return (
    <Panel id="breakdown" title="Engagements" about="What counts?" definition={TERMS.engagements.definition}>
      {breakdown.length === 0 ? (
        <p class="panel-empty">The engagements of this post are not known.</p>
      ) : (
        <div class="breakdown">
          <div class="ring">
            {engagements ? (
              <Chart label="Shares of the engagements, as listed beside." option={option} />
            ) : (
              <span class="ring-empty" />
            )}
            <p class="ring-total" title={exact(engagements)}>
              <b>{compact(engagements)}</b>
              <span>in total</span>
            </p>
          </div>
          <table class="table parts" aria-labelledby="breakdown-title">
            <tbody>
              {breakdown.map(({ metric, value, share }, index) => (
                <tr key={metric}>
                  <th scope="row">
                    <span class={`swatch part--${(index % 5) + 1}`} /> {TERMS[metric].label}
                  </th>
                  <td class="number">{exact(value)}</td>
                  <td class="number muted">{percent(share)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Panel>
  );
}
