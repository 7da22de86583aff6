/** Platform breakdown (directive 4.2): one platform in every metric, and beside the others. */

import type { PlatformAnswer } from "../api";
import { Count, PlainCard, Rate } from "../components/Cards";
import { ComparePanel } from "../components/ComparePanel";
import { MetricsPanel } from "../components/MetricsPanel";
import { PostsPanel } from "../components/PostsPanel";
import { TrendPanel } from "../components/TrendPanel";
import { WindowStates } from "../components/WindowStates";
import { exact, plural } from "../format";
import type { Resource } from "../resource";

function PostsCard({ answer }: { answer: PlatformAnswer }) {
  const own = answer.comparison.find(({ platform }) => platform === answer.platform);
  return (
    <PlainCard
      title="Posts"
      definition="Posts published in the period, and those of any age that gained something in it."
      value={exact(own?.posts_published ?? null)}
      change="published in the period"
      note={own ? plural(own.active_posts, "active post") : "\u00a0"}
    />
  );
}

export function PlatformView({ resource }: { resource: Resource<PlatformAnswer> }) {
  return (
    <WindowStates resource={resource}>
      {(answer) => (
        <>
          <div class="cards">
            <Count metric="impressions" card={answer.cards.impressions} answer={answer} />
            <Count metric="engagements" card={answer.cards.engagements} answer={answer} />
            <Rate card={answer.cards.engagement_rate} answer={answer} />
            <PostsCard answer={answer} />
          </div>
          <TrendPanel trend={answer.trend} zone={answer.window.tz} />
          <div class="columns">
            <MetricsPanel answer={answer} />
            <ComparePanel comparison={answer.comparison} />
          </div>
          <PostsPanel answer={answer} platform={answer.platform} />
        </>
      )}
    </WindowStates>
  );
}
