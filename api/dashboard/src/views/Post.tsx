/** Content detail (directive 4.3): one post, its life in numbers, its place among its siblings. */

import type { PostDetailAnswer } from "../api";
import { BenchmarkPanel } from "../components/BenchmarkPanel";
import { BreakdownPanel } from "../components/BreakdownPanel";
import { ErrorState } from "../components/ErrorState";
import { PlatformIcon } from "../components/Icons";
import { PostActions } from "../components/PostActions";
import { Skeleton } from "../components/Skeleton";
import { TimelinePanel } from "../components/TimelinePanel";
import { Tip } from "../components/Tip";
import { dateTime, exact, percent, score } from "../format";
import { TERMS, type TermName } from "../glossary";
import { accountName, platformLook } from "../platforms";
import type { Resource } from "../resource";

function Preview({ answer, zone }: { answer: PostDetailAnswer; zone: string }) {
  const { post, text } = answer;
  const account = answer.accounts.find(({ account_id: id }) => id === post.account_id);
  const { label } = platformLook(post.platform);
  return (
    <article class="panel preview" aria-label="The post">
      <header class="preview-head">
        <PlatformIcon platform={post.platform} />
        <div class="preview-who">
          <b>{account ? accountName(account) : label}</b>
          <span class="muted">
            {label} {post.post_type.replaceAll("_", " ")} ·{" "}
            <time dateTime={post.published_at}>{dateTime(post.published_at, zone)}</time> · last read{" "}
            <time dateTime={post.as_of}>{dateTime(post.as_of, zone)}</time>
          </span>
        </div>
        {post.is_deleted && <span class="badge badge--bad">deleted</span>}
        <div class="preview-actions"><PostActions post={post} /></div>
      </header>
      {text ? (
        <p class="preview-text">{text}</p>
      ) : (
        <p class="preview-text muted">
          {post.is_deleted
            ? "The post was deleted on the platform; its text was dropped, its counters are kept."
            : `No text is known of post ${post.platform_post_id}.`}
        </p>
      )}
    </article>
  );
}

const FIGURES = [
  ["impressions", exact],
  ["engagements", exact],
  ["engagement_rate", percent],
  ["engagement_score", score],
] as const satisfies readonly (readonly [TermName, (value: number | null) => string])[];

function valueOf(answer: PostDetailAnswer, name: (typeof FIGURES)[number][0]): number | null {
  const { post } = answer;
  return name === "engagement_rate" || name === "engagement_score" ? post[name] : post.counters[name];
}

function noteOf({ post }: PostDetailAnswer, name: TermName): string {
  if (name === "engagement_score" && post.score_capped) return "the highest score there is";
  if (name === "impressions" && post.unique_impressions !== null) {
    return `${exact(post.unique_impressions)} people reached`;
  }
  return "";
}

function Figures({ answer }: { answer: PostDetailAnswer }) {
  return (
    <div class="cards">
      {FIGURES.map(([name, write]) => (
        <section class="card" key={name} aria-label={TERMS[name].label} data-card={TERMS[name].label}>
          <div class="card-title">
            <h2>{TERMS[name].label}</h2>
            <Tip label={`What is ${TERMS[name].label}?`} text={TERMS[name].definition} />
          </div>
          <p class="card-value">{write(valueOf(answer, name))}</p>
          {noteOf(answer, name) && <p class="card-note">{noteOf(answer, name)}</p>}
        </section>
      ))}
    </div>
  );
}

function PostSkeleton() {
  return (
    <>
      <p class="sr-only" role="status">Loading</p>
      <div class="panel preview" aria-hidden="true">
        <p><Skeleton width="24ch" /></p>
        <p><Skeleton width="60%" /></p>
      </div>
    </>
  );
}

export function PostView({ resource, zone }: { resource: Resource<PostDetailAnswer>; zone: string }) {
  const { answer, problem, loading, reload } = resource;
  if (problem) return <ErrorState problem={problem} onRetry={reload} />;
  if (!answer) return <PostSkeleton />;
  return (
    <div class={loading ? "is-stale" : ""} aria-busy={loading}>
      <Preview answer={answer} zone={zone} />
      <Figures answer={answer} />
      <TimelinePanel answer={answer} zone={zone} />
      <div class="columns">
        <BreakdownPanel answer={answer} />
        <BenchmarkPanel answer={answer} />
      </div>
    </div>
  );
}
