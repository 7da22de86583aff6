/** The change against the previous period: arrow, sign and colour, never colour alone (METRICS.md 5). */

import type { Change as ChangeOf, Coverage } from "../api";
import { percent, signedPercent, signedPoints } from "../format";
import { ArrowDown, ArrowFlat, ArrowUp } from "./Icons";
import { Tip } from "./Tip";

interface Props {
  readonly change: ChangeOf;
  readonly coverage: Coverage;
  /** "30 Sept – 29 Oct 2026" */
  readonly previous: string;
  /** The previous value, already formatted. */
  readonly before: string;
}

function unavailable(change: ChangeOf, coverage: Coverage): string {
  switch (change.reason) {
    case "not connected yet":
      return "Not comparable: the account was not connected yet in the previous period.";
    case "file totals only":
      return "Not comparable: these are lifetime totals from files, not gains seen in the period.";
    case "nothing collected":
      return "Not comparable: nothing was collected in one of the periods.";
    case "incomplete":
      return (
        "Not comparable: fewer than 90% of the due readings succeeded in one of the periods " +
        `(now ${percent(coverage.coverage)}, before ${percent(coverage.previous_coverage)}).`
      );
    default:
      return "Not compared.";
  }
}

const WORDS = { up: "up", down: "down", flat: "unchanged" } as const;

function amount(change: ChangeOf): string {
  if (change.points !== null) return signedPoints(change.points / 100);
  return change.percent === null ? "" : signedPercent(change.percent / 100);
}

export function Change({ change, coverage, previous, before }: Props) {
  if (change.state === "n/a" && change.reason === "not compared") return <span>{"\u00a0"}</span>;
  if (change.state === "n/a") {
    return (
      <Tip class="change change--none" label="Change not available" text={unavailable(change, coverage)}>
        n/a
      </Tip>
    );
  }
  const against = `Previous period, ${previous}: ${before}.`;
  if (change.state === "new") {
    return (
      <Tip class="change change--new" label="New: nothing in the previous period" text={against}>
        new
      </Tip>
    );
  }
  if (change.state === "no change" || change.direction === null || change.direction === "flat") {
    return (
      <Tip class="change change--none" label="No change" text={against}>
        <ArrowFlat /> no change
      </Tip>
    );
  }
  const tone = change.greyed ? "none" : change.direction === "up" ? "good" : "bad";
  const few = change.greyed ? " Too few engagements before to read much into it." : "";
  return (
    <Tip
      class={`change change--${tone}`}
      label={`${WORDS[change.direction]} ${amount(change)} against the previous period`}
      text={against + few}
    >
      {change.direction === "up" ? <ArrowUp /> : <ArrowDown />} {amount(change)}
    </Tip>
  );
}
