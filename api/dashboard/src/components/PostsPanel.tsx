/** The ten posts that lead by the chosen column. Sorting asks the API, so "top 10" is always true. */

import { type PostRow, type PostsAnswer, type WindowAnswer, postsPath } from "../api";
import { compact, date, dateTime, exact, percent, score } from "../format";
import { TERMS } from "../glossary";
import { usePage } from "../page";
import { accountName, platformLook } from "../platforms";
import { useResource } from "../resource";
import { DEFAULTS } from "../url";
import { ArrowDown, ArrowUp, PlatformIcon } from "./Icons";
import { Panel } from "./Panel";
import { PostActions } from "./PostActions";
import { Skeleton } from "./Skeleton";
import { Tip } from "./Tip";
import { ViewLink } from "./ViewLink";

const LIMIT = 10;

interface Column {
  readonly sort: string;
  readonly label: string;
  readonly definition?: string;
  /** Said after "Top 10 posts by". */
  readonly by: string;
}

const COLUMNS: readonly Column[] = [
  { sort: "published_at", label: "Published", by: "date" },
  { sort: "impressions", label: "Impressions", by: "impressions" },
  { sort: "engagements", label: "Engagements", by: "engagements" },
  { sort: "engagement_rate", label: "Rate", by: "engagement rate", definition: "Engagements divided by impressions, of this post." },
  { sort: "engagement_score", label: "Score", by: "engagement score", definition: TERMS.engagement_score.definition },
];

interface Heading {
  readonly title: string;
  readonly by: string;
}

function heading(sort: string, order: "asc" | "desc"): Heading {
  if (sort === "published_at") return { title: order === "desc" ? "Newest posts" : "Oldest posts", by: "" };
  const column = COLUMNS.find((candidate) => candidate.sort === sort);
  const by = `by ${column?.by ?? sort.replaceAll("_", " ")}`;
  return { title: order === "desc" ? "Top posts" : "Lowest posts", by };
}

function SortableHead({ column }: { column: Column }) {
  const { state, go } = usePage();
  const active = state.sort === column.sort;
  const flipped = active && state.order === "desc" ? "asc" : "desc";
  return (
    <th scope="col" class="number" aria-sort={active ? (state.order === "asc" ? "ascending" : "descending") : "none"}>
      <span class="th-inner">
        {column.definition && <Tip label={`What is ${column.label}?`} text={column.definition} />}
        <button
          type="button"
          class="sort"
          onClick={() => go({ sort: column.sort, order: flipped }, { replace: true })}
        >
          {column.label}
          <span class="sort-arrow" aria-hidden="true">
            {active && state.order === "asc" ? <ArrowUp /> : <ArrowDown />}
          </span>
        </button>
      </span>
    </th>
  );
}

function SortPicker() {
  const { state, go } = usePage();
  return (
    <label class="field sort-picker">
      <span class="sr-only">Sort by</span>
      <select
        class="select"
        value={state.sort}
        onChange={(event) => go({ sort: event.currentTarget.value, order: "desc" }, { replace: true })}
      >
        {COLUMNS.map((column) => (
          <option key={column.sort} value={column.sort}>{column.label}</option>
        ))}
      </select>
    </label>
  );
}

function Gained({ value }: { value: number | null }) {
  if (value === null || value === 0) return null;
  return (
    <span class="gained" title={`${exact(value)} gained in the period`}>
      {value > 0 ? "+" : ""}
      {compact(value)}
    </span>
  );
}

function Row({ post, answer }: { post: PostRow; answer: WindowAnswer }) {
  const account = answer.accounts.find(({ account_id: id }) => id === post.account_id);
  const { label } = platformLook(post.platform);
  const zone = answer.window.tz;
  return (
    <tr data-post={post.platform_post_id}>
      <td class="post-cell">
        <PlatformIcon platform={post.platform} />
        <div class="post-words">
          <p class={`post-text ${post.text_preview ? "" : "post-text--none"}`} title={post.text_preview ?? undefined}>
            <ViewLink to={{ view: { name: "post", postId: post.post_id } }}>
              {post.text_preview ?? `Post ${post.platform_post_id}`}
            </ViewLink>
          </p>
          <p class="post-meta">
            <span class="sr-only">{label}, </span>
            {account ? accountName(account) : label}
            {post.post_type !== "post" && ` · ${post.post_type.replaceAll("_", " ")}`}
            {post.is_deleted && <span class="badge badge--bad">deleted</span>}
          </p>
        </div>
      </td>
      <td class="number" data-label="Published" title={dateTime(post.published_at, zone)}>{date(post.published_at, zone)}</td>
      <td class="number" data-label="Impressions">
        {exact(post.counters.impressions)}
        <Gained value={post.gained.impressions} />
      </td>
      <td class="number" data-label="Engagements">
        {exact(post.counters.engagements)}
        <Gained value={post.gained.engagements} />
      </td>
      <td class="number" data-label="Rate">{percent(post.engagement_rate)}</td>
      <td class="number" data-label="Score" title={post.score_capped ? "1,000 is the highest score there is" : undefined}>
        <b>{score(post.engagement_score)}</b>
      </td>
      <td class="actions"><PostActions post={post} /></td>
    </tr>
  );
}

function Head() {
  return (
    <thead>
      <tr>
        <th scope="col">Post</th>
        {COLUMNS.map((column) => <SortableHead key={column.sort} column={column} />)}
        <th scope="col"><span class="sr-only">Actions</span></th>
      </tr>
    </thead>
  );
}

interface Props {
  readonly answer: WindowAnswer & { readonly top_posts: readonly PostRow[] };
  /** Only posts of this platform; null: of all. */
  readonly platform: string | null;
}

export function PostsPanel({ answer, platform }: Props) {
  const { state } = usePage();
  const isDefault = state.sort === DEFAULTS.sort && state.order === DEFAULTS.order;
  const sorted = useResource<PostsAnswer>(isDefault ? null : postsPath(state, platform, LIMIT));
  const posts = isDefault ? answer.top_posts : (sorted.answer?.posts ?? answer.top_posts);
  const { title, by } = heading(state.sort, state.order);
  return (
    <Panel
      id="posts"
      title={<>{title}<span class="panel-by"> {by}</span></>}
      about="Which posts are listed?"
      definition={
        "Up to ten posts that were active in the period; for the ranking by score, those with at least 100 " +
        "impressions. Figures are the posts' totals so far; the small + is what they gained in the period."
      }
      tools={<SortPicker />}
      busy={sorted.loading}
    >
      {sorted.problem && <p class="notice notice--bad" role="alert">{sorted.problem.detail}</p>}
      {posts.length === 0 ? (
        <p class="panel-empty">No post of this period has 100 impressions yet.</p>
      ) : (
        <table class={`table posts ${sorted.loading ? "is-stale" : ""}`} aria-labelledby="posts-title">
          <Head />
          <tbody>
            {posts.map((post) => <Row key={post.post_id} post={post} answer={answer} />)}
          </tbody>
        </table>
      )}
    </Panel>
  );
}

export function PostsSkeleton() {
  return (
    <section class="panel" aria-hidden="true">
      <header class="panel-head"><h2 class="panel-title"><Skeleton width="24ch" /></h2></header>
      <table class="table posts">
        <tbody>
          {Array.from({ length: LIMIT }, (_, index) => (
            <tr key={index}>
              <td class="post-cell"><Skeleton width="16px" /><div class="post-words"><p class="post-text"><Skeleton width="80%" /></p><p class="post-meta"><Skeleton width="12ch" /></p></div></td>
              {COLUMNS.map(({ sort }) => <td class="number" key={sort}><Skeleton width="6ch" /></td>)}
              <td class="actions" />
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
