/** The platforms side by side, per 1,000 impressions (directive 4.2: metric comparison). */

import { useCallback } from "preact/hooks";

import type { PlatformComparison } from "../api";
import type { Palette } from "../charts/base";
import { KINDS, compareOption, formatPerThousand, perThousand } from "../charts/compare";
import { exact, percent } from "../format";
import { usePage } from "../page";
import { platformLook } from "../platforms";
import { Chart } from "./Chart";
import { Panel, TableToggle } from "./Panel";

type Props = { readonly comparison: readonly PlatformComparison[] };

function CompareTable({ comparison }: Props) {
  return (
    <div class="table-scroll" tabIndex={0} role="region" aria-label="Platforms compared">
      <table class="table table--plain">
        <thead>
          <tr>
            <th scope="col">Per 1,000 impressions</th>
            {comparison.map(({ platform }) => (
              <th scope="col" class="number" key={platform}>{platformLook(platform).label}</th>
            ))}
          </tr>
        </thead>
        <tbody>
          {KINDS.map((kind) => (
            <tr key={kind.label}>
              <th scope="row">{kind.label}</th>
              {comparison.map((one) => (
                <td class="number" key={one.platform}>{formatPerThousand(perThousand(one, kind))}</td>
              ))}
            </tr>
          ))}
          <tr>
            <th scope="row">Core engagement rate</th>
            {comparison.map((one) => (
              <td class="number" key={one.platform}>{percent(one.engagement_rate_core)}</td>
            ))}
          </tr>
          <tr>
            <th scope="row">Impressions</th>
            {comparison.map((one) => (
              <td class="number" key={one.platform}>{exact(one.impressions)}</td>
            ))}
          </tr>
        </tbody>
      </table>
    </div>
  );
}

export function ComparePanel({ comparison }: Props) {
  const { state } = usePage();
  const option = useCallback((palette: Palette) => compareOption(comparison, palette), [comparison]);
  const names = comparison.map(({ platform }) => platformLook(platform).label).join(" and ");
  return (
    <Panel
      id="compare"
      title={<>Platforms compared <span class="muted">per 1,000 impressions</span></>}
      about="How are platforms compared?"
      definition="Each count divided by the platform's impressions in the period, so that the larger audience does not win by size. What a platform does not offer has no bar."
      legend={
        <ul class="legend" aria-label="Series">
          {comparison.map(({ platform }) => (
            <li key={platform} class="legend-item">
              <span class={`swatch swatch--${platformLook(platform).symbol} series--${platform}`} />
              {platformLook(platform).label}
            </li>
          ))}
        </ul>
      }
      tools={<TableToggle />}
    >
      <div class="chart-place">
        {state.table ? (
          <CompareTable comparison={comparison} />
        ) : (
          <Chart label={`Engagements per 1,000 impressions: ${names}. The table button shows the figures.`} option={option} />
        )}
      </div>
    </Panel>
  );
}
