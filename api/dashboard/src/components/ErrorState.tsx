/** An error of the API in its own words, with what can be done about it. */

import type { Problem } from "../api";
import { usePage } from "../page";
import { DEFAULTS } from "../url";
import { EmptyState } from "./EmptyState";

export function ErrorState({ problem, onRetry }: { problem: Problem; onRetry: () => void }) {
  const { go } = usePage();
  const start = () => go({ view: { name: "overview" }, ...DEFAULTS });
  const toStart = (
    <button type="button" class="button" onClick={start}>Back to the start</button>
  );
  if (problem.status === 404) {
    return (
      <EmptyState kind="not-found" title="Nothing here" actions={toStart}>
        <p>{problem.detail}</p>
      </EmptyState>
    );
  }
  return (
    <EmptyState
      kind="error"
      title={problem.title}
      actions={
        <>
          <button type="button" class="button button--primary" onClick={onRetry}>Try again</button> {toStart}
        </>
      }
    >
      <p>{problem.detail}</p>
    </EmptyState>
  );
}
