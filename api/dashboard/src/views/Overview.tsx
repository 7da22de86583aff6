/** The Overview (directive 4.1): four figures, the trend, the ten best posts. */

import type { OverviewAnswer } from "../api";
import { CardsSkeleton, Cards } from "../components/Cards";
import { EmptyState } from "../components/EmptyState";
import { PostsPanel, PostsSkeleton } from "../components/PostsPanel";
import { TrendPanel, TrendSkeleton } from "../components/TrendPanel";
import { dayRange } from "../format";
import { usePage } from "../page";
import type { Resource } from "../resource";

function NoData({ answer }: { answer: OverviewAnswer }) {
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

export function OverviewSkeleton() {
  return (
    <>
      <p class="sr-only" role="status">Loading</p>
      <CardsSkeleton />
      <TrendSkeleton />
      <PostsSkeleton />
    </>
  );
}

export function Overview({ resource }: { resource: Resource<OverviewAnswer> }) {
  const { answer, problem, loading, reload } = resource;
  if (problem) {
    return (
      <EmptyState
        kind="error"
        title={problem.title}
        actions={<button type="button" class="button button--primary" onClick={reload}>Try again</button>}
      >
        <p>{problem.detail}</p>
        {problem.errors.map(({ field, message }) => (
          <p key={field}><code>{field}</code>: {message}</p>
        ))}
      </EmptyState>
    );
  }
  if (!answer) return <OverviewSkeleton />;
  if (answer.as_of === null) return <NothingYet />;
  if (answer.is_empty) return <NoData answer={answer} />;
  return (
    <div class={loading ? "is-stale" : ""} aria-busy={loading}>
      <Cards answer={answer} />
      <TrendPanel trend={answer.trend} zone={answer.window.tz} />
      <PostsPanel answer={answer} />
    </div>
  );
}
