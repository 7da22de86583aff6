/** Which period: presets, own range, steps back and forth, and whether to compare. */

import { useState } from "preact/hooks";

import type { WindowAnswer } from "../api";
import { dayOf, isDay, PRESETS, type Preset, step } from "../period";
import { usePage } from "../page";
import { ChevronLeft, ChevronRight } from "./Icons";
import { Popover } from "./Popover";

export const PERIOD_NAMES: Record<Preset, string> = {
  "24h": "Last 24 hours",
  "7d": "Last 7 days",
  "30d": "Last 30 days",
  "90d": "Last 90 days",
};

/** The period next to the chosen one, or null where there is none (or no answer tells the newest day). */
export function neighbour(
  period: Parameters<typeof step>[0],
  answer: WindowAnswer | null,
  direction: -1 | 1,
): ReturnType<typeof step> {
  if (!answer) return null;
  const last = answer.as_of ? dayOf(answer.as_of, answer.window.tz) : answer.window.to;
  return step(period, direction, last);
}

function CustomRange({ answer }: { answer: WindowAnswer | null }) {
  const { state, go } = usePage();
  const custom = state.period.window === "custom";
  return (
    <Popover
      label="Custom period"
      class="segment"
      align="end"
      pressed={custom}
      button="Custom"
    >
      {(close) => (
        <RangeForm
          from={answer?.window.from ?? ""}
          to={answer?.window.to ?? ""}
          onApply={(from, to) => {
            go({ period: { window: "custom", from, to } });
            close();
          }}
        />
      )}
    </Popover>
  );
}

interface RangeProps {
  readonly from: string;
  readonly to: string;
  readonly onApply: (from: string, to: string) => void;
}

function RangeForm(props: RangeProps) {
  const [from, setFrom] = useState(props.from);
  const [to, setTo] = useState(props.to);
  const backwards = isDay(from) && isDay(to) && from > to;
  const ready = isDay(from) && isDay(to) && !backwards;
  return (
    <form
      class="range"
      onSubmit={(event) => {
        event.preventDefault();
        if (ready) props.onApply(from, to);
      }}
    >
      <label class="range-field">
        From
        <input class="input" type="date" name="from" required value={from} onInput={(event) => setFrom(event.currentTarget.value)} />
      </label>
      <label class="range-field">
        To
        <input class="input" type="date" name="to" required value={to} onInput={(event) => setTo(event.currentTarget.value)} />
      </label>
      <p class="range-hint" role="status">{backwards ? "The first day lies after the last." : "Both days included."}</p>
      <button type="submit" class="button button--primary button--block" disabled={!ready}>Show</button>
    </form>
  );
}

export function PeriodBar({ answer }: { answer: WindowAnswer | null }) {
  const { state, go } = usePage();
  const before = neighbour(state.period, answer, -1);
  const after = neighbour(state.period, answer, 1);
  return (
    <div class="period-bar">
      <div class="arrows">
        <button type="button" class="button button--icon" aria-label="Previous period" disabled={!before} onClick={() => before && go({ period: before })}>
          <ChevronLeft />
        </button>
        <button type="button" class="button button--icon" aria-label="Next period" disabled={!after} onClick={() => after && go({ period: after })}>
          <ChevronRight />
        </button>
      </div>
      <div class="segments" role="group" aria-label="Period">
        {PRESETS.map((name) => (
          <button
            key={name}
            type="button"
            class="segment"
            aria-pressed={state.period.window === name}
            aria-label={PERIOD_NAMES[name]}
            onClick={() => go({ period: { window: name } })}
          >
            {name}
          </button>
        ))}
        <CustomRange answer={answer} />
      </div>
      <label class="switch">
        <input
          type="checkbox"
          role="switch"
          checked={state.compare}
          onChange={() => go({ compare: !state.compare })}
        />
        <span class="switch-track" aria-hidden="true" />
        Compare
      </label>
    </div>
  );
}
