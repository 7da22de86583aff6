/** A post beside the account's own posts at the same age (directive 4.3, METRICS.md 6). */

import type { Benchmark, PostDetailAnswer } from "../api";
import { LOCALE, compact, percent, plural, score } from "../format";
import { TERMS, type TermName } from "../glossary";
import { Panel } from "./Panel";

const AGES = { "24h": "24 hours", "72h": "72 hours", "7d": "7 days", lifetime: "lifetime totals" } as const;

function termOf(metric: string) {
  return metric in TERMS ? TERMS[metric as TermName] : null;
}

function write(metric: string, value: number | null): string {
  const kind = termOf(metric)?.kind;
  return kind === "rate" ? percent(value) : kind === "score" ? score(value) : compact(value);
}

const ordinals = new Intl.PluralRules(LOCALE, { type: "ordinal" });
const ENDINGS: Readonly<Partial<Record<Intl.LDMLPluralRule, string>>> = { one: "st", two: "nd", few: "rd" };

export function ordinal(n: number): string {
  return `${n}${ENDINGS[ordinals.select(n)] ?? "th"}`;
}

/** Places on a bar that runs from zero to a little beyond the largest value. */
function Bar({ benchmark }: { benchmark: Benchmark }) {
  const { value, median, lower_quartile: low, upper_quartile: high } = benchmark;
  const end = Math.max(value ?? 0, high ?? 0, median ?? 0) * 1.08 || 1;
  const at = (amount: number | null) => `${((amount ?? 0) / end) * 100}%`;
  return (
    <div class="bench-bar" aria-hidden="true">
      {low !== null && high !== null && (
        <span class="bench-range" style={{ left: at(low), width: `${((high - low) / end) * 100}%` }} />
      )}
      {value !== null && <span class="bench-value" style={{ width: at(value) }} />}
      {median !== null && <span class="bench-median" style={{ left: at(median) }} />}
    </div>
  );
}

function Line({ benchmark }: { benchmark: Benchmark }) {
  const { metric, value, median, lower_quartile: low, upper_quartile: high, percentile } = benchmark;
  return (
    <li class="bench">
      <p class="bench-head">
        <b>{termOf(metric)?.label ?? metric}</b>
        <span class="bench-figure">{write(metric, value)}</span>
        {percentile !== null && <span class="muted">{ordinal(Math.round(percentile))} percentile</span>}
      </p>
      <Bar benchmark={benchmark} />
      <p class="muted bench-note">
        median {write(metric, median)}, middle half {write(metric, low)} to {write(metric, high)}
      </p>
    </li>
  );
}

export function BenchmarkPanel({ answer }: { answer: PostDetailAnswer }) {
  const [first] = answer.benchmarks;
  return (
    <Panel
      id="benchmark"
      title={
        first ? (
          <>Against your posts <span class="muted">{first.age === "lifetime" ? AGES.lifetime : `at ${AGES[first.age]}`}</span></>
        ) : (
          "Against your posts"
        )
      }
      about="Which posts is it compared with?"
      definition={
        "This account's own posts on this platform from the 90 days before, each at the same age as this one. " +
        "The mark is their median, the band their middle half."
      }
    >
      {first ? (
        <>
          <ul class="plain-list benches">
            {answer.benchmarks.map((benchmark) => <Line key={benchmark.metric} benchmark={benchmark} />)}
          </ul>
          <p class="panel-note">Compared with {plural(first.posts, "post")}.</p>
        </>
      ) : (
        <p class="panel-empty">
          Not shown yet: it takes 10 posts of this account, read at the same age, to say what is usual.
        </p>
      )}
    </Panel>
  );
}
