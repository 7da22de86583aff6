/** All that a view of a window can be besides its figures: loading, failed, empty, not begun. */

import type { ComponentChildren } from "preact";

import type { WindowAnswer } from "../api";
import { dayRange } from "../format";
import { usePage } from "../page";
import type { Resource } from "../resource";
import { CardsSkeleton } from "./Cards";
import { EmptyState } from "./EmptyState";
import { ErrorState } from "./ErrorState";
import { PostsSkeleton } from "./PostsPanel";
import { TrendSkeleton } from "./TrendPanel";

function NoData({ answer }: { answer: WindowAnswer }) {
  const { go } = usePage();
  const offered = answer.newest_period_with_data;
  const range = dayRange(answer.window.from, answer.window.to);
  return (
    <EmptyState
      kind="no-data"
      title="No data in this period"
      actions={
        offered && (
          <button
            type="button"
            class="button button--primary"
            onClick={() => go({ period: { window: "custom", from: offered.from, to: offered.to } })}
          >
            Show {dayRange(offered.from, offered.to)}
          </button>
        )
      }
    >
      <p>
        No post was active between {range}.
        {offered ? " The newest period with data is one click away." : " No other period has data either."}
      </p>
    </EmptyState>
  );
}

export function NothingYet() {
  return (
    <EmptyState kind="nothing-yet" title="Nothing collected yet">
      <p>Numbers appear after the first collection and build. Start them, or wait for the schedule:</p>
      <p><code class="command">make refresh</code></p>
      <p>Or begin with a file that X lets you download:</p>
      <p><code class="command">make import FILE=export.csv</code></p>
    </EmptyState>
  );
}

function Skeletons() {
  return (
    <>
      <p class="sr-only" role="status">Loading</p>
      <CardsSkeleton />
      <TrendSkeleton />
      <PostsSkeleton />
    </>
  );
}

interface Props<Answer> {
  readonly resource: Resource<Answer>;
  readonly children: (answer: Answer) => ComponentChildren;
}

export function WindowStates<Answer extends WindowAnswer>({ resource, children }: Props<Answer>) {
  const { answer, problem, loading, reload } = resource;
  if (problem) return <ErrorState problem={problem} onRetry={reload} />;
  if (!answer) return <Skeletons />;
  if (answer.as_of === null) return <NothingYet />;
  if (answer.is_empty) return <NoData answer={answer} />;
  return (
    <div class={loading ? "is-stale" : ""} aria-busy={loading}>
      {children(answer)}
    </div>
  );
}
