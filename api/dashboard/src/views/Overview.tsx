/** The Overview (directive 4.1): four figures, the trend, the ten best posts. */

import type { OverviewAnswer } from "../api";
import { Cards } from "../components/Cards";
import { PostsPanel } from "../components/PostsPanel";
import { TrendPanel } from "../components/TrendPanel";
import { WindowStates } from "../components/WindowStates";
import type { Resource } from "../resource";

export function Overview({ resource }: { resource: Resource<OverviewAnswer> }) {
  return (
    <WindowStates resource={resource}>
      {(answer) => (
        <>
          <Cards answer={answer} />
          <TrendPanel trend={answer.trend} zone={answer.window.tz} />
          <PostsPanel answer={answer} platform={null} />
        </>
      )}
    </WindowStates>
  );
}
