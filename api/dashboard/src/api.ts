/**
 * The public API as the dashboard reads it. The interfaces mirror the API's response models by
 * name and field; a test compares them, so a renamed field fails before a reader sees a dash.
 */

import type { Period as ShownPeriod } from "./period";
import type { PageState } from "./url";

export type Instant = string;
export type Metric =
  | "impressions"
  | "likes"
  | "comments"
  | "shares"
  | "clicks"
  | "replies"
  | "retweets"
  | "quotes"
  | "bookmarks"
  | "engagements"
  | "engagements_core";

export type Counters = Readonly<Record<Metric, number | null>>;

export interface Period {
  readonly from: string;
  readonly to: string;
  readonly start: Instant;
  readonly end: Instant;
}

export interface Window extends Period {
  readonly name: ShownPeriod["window"];
  readonly tz: string;
  readonly lens: "gained" | "published";
  readonly open_day: boolean;
}

export interface OfferedPeriod {
  readonly from: string;
  readonly to: string;
}

export interface Change {
  readonly state: "change" | "new" | "n/a" | "no change";
  readonly reason:
    | "not compared"
    | "not connected yet"
    | "file totals only"
    | "incomplete"
    | "nothing collected"
    | null;
  readonly percent: number | null;
  readonly points: number | null;
  readonly direction: "up" | "down" | "flat" | null;
  readonly greyed: boolean;
}

export interface CountCard {
  readonly value: number | null;
  readonly observed: number | null;
  readonly from_history: number | null;
  readonly previous_observed: number | null;
  readonly change: Change;
}

export interface RateCard {
  readonly value: number | null;
  readonly avg_engagement_rate: number | null;
  readonly median: number | null;
  readonly previous: number | null;
  readonly change: Change;
}

export interface PlatformRate {
  readonly platform: string;
  readonly rate: number | null;
  readonly impressions: number | null;
  readonly engagements_core: number | null;
  readonly active_posts: number;
  readonly eligible: boolean;
}

export interface BestPlatform {
  readonly platform: string | null;
  readonly state: "found" | "not enough data";
  readonly platforms: readonly PlatformRate[];
}

export interface Cards {
  readonly impressions: CountCard;
  readonly engagements: CountCard;
  readonly engagement_rate: RateCard;
}

export interface OverviewCards extends Cards {
  readonly best_platform: BestPlatform;
}

export interface Bucket {
  readonly day: string;
  readonly start: Instant;
  readonly end: Instant;
  readonly partial: boolean;
}

export type TrendPoint = Counters & { readonly engagement_rate: number | null };

export interface TrendSeries {
  readonly platform: string;
  readonly points: readonly TrendPoint[];
}

export interface Trend {
  readonly bucket: "day" | "6h";
  readonly buckets: readonly Bucket[];
  readonly series: readonly TrendSeries[];
}

export interface Account {
  readonly account_id: string;
  readonly platform: string;
  readonly account_kind: "page" | "member" | "profile";
  readonly handle: string | null;
  readonly display_name: string | null;
  readonly timezone: string;
  readonly is_proven: boolean;
  readonly posts: number;
  readonly as_of: Instant | null;
  readonly stale: boolean;
}

export interface Coverage {
  readonly due_slots: number;
  readonly filled_slots: number;
  readonly coverage: number | null;
  readonly previous_coverage: number | null;
}

export interface Maturity {
  readonly age: "24h" | "72h" | "7d";
  readonly posts_published: number;
  readonly counted: number;
  readonly too_young: number;
  readonly unknown: number;
  readonly previous_counted: number | null;
}

export interface Post {
  readonly post_id: string;
  readonly account_id: string;
  readonly platform: string;
  readonly platform_post_id: string;
  readonly post_type: string;
  readonly published_at: Instant;
  readonly is_deleted: boolean;
  readonly text_preview: string | null;
  readonly url: string | null;
  readonly as_of: Instant;
  readonly counters: Counters;
  readonly unique_impressions: number | null;
  readonly engagement_rate: number | null;
  readonly engagement_score: number | null;
  readonly score_capped: boolean;
}

export interface PostRow extends Post {
  readonly gained: Counters;
}

export interface Freshness {
  readonly as_of: Instant | null;
  readonly published_at: Instant;
  readonly generation: number;
  readonly accounts: readonly Account[];
}

export interface WindowAnswer extends Freshness {
  readonly window: Window;
  readonly previous: Period | null;
  readonly is_empty: boolean;
  readonly newest_period_with_data: OfferedPeriod | null;
  readonly coverage: Coverage;
  readonly metric_completeness: Readonly<Record<string, number | null>>;
  readonly maturity: Maturity | null;
}

export interface OverviewAnswer extends WindowAnswer {
  readonly cards: OverviewCards;
  readonly trend: Trend;
  readonly top_posts: readonly PostRow[];
}

export interface PostsAnswer extends WindowAnswer {
  readonly posts: readonly PostRow[];
  readonly total: number;
  readonly limit: number;
  readonly offset: number;
  readonly next_offset: number | null;
  readonly sort: string;
  readonly order: "asc" | "desc";
}

export interface MetricRow extends CountCard {
  readonly metric: Metric;
  readonly offered: boolean;
}

export type PlatformComparison = Counters & {
  readonly platform: string;
  readonly engagement_rate: number | null;
  readonly engagement_rate_core: number | null;
  readonly active_posts: number;
  readonly posts_published: number;
};

export interface PlatformAnswer extends WindowAnswer {
  readonly platform: string;
  readonly cards: Cards;
  readonly metrics: readonly MetricRow[];
  readonly comparison: readonly PlatformComparison[];
  readonly trend: Trend;
  readonly top_posts: readonly PostRow[];
}

export type TimelinePoint = Counters & {
  readonly snapshot_id: string;
  readonly slot_start: Instant;
  readonly collected_at: Instant;
  readonly activity_at: Instant;
  readonly source: "api" | "file" | null;
  readonly collected_basis: "observed" | "stated" | "assumed" | null;
  readonly basis: "observed" | "lifetime" | "catch_up";
  readonly is_gap: boolean;
  readonly is_correction: boolean;
  readonly unique_impressions: number | null;
  readonly engagement_rate: number | null;
  readonly engagement_score: number | null;
  readonly new: Counters;
};

export interface BreakdownPart {
  readonly metric: Metric;
  readonly value: number | null;
  readonly share: number | null;
}

export interface Benchmark {
  readonly metric: string;
  readonly age: "24h" | "72h" | "7d" | "lifetime";
  readonly value: number | null;
  readonly median: number | null;
  readonly lower_quartile: number | null;
  readonly upper_quartile: number | null;
  readonly mean: number | null;
  readonly percentile: number | null;
  readonly posts: number;
}

export interface PostDetailAnswer extends Freshness {
  readonly post: Post;
  readonly text: string | null;
  readonly timeline: readonly TimelinePoint[];
  readonly breakdown: readonly BreakdownPart[];
  readonly engagements_basis: string | null;
  readonly metric_version: number;
  readonly benchmarks: readonly Benchmark[];
}

export interface SessionUser {
  readonly name: string;
  readonly timezone: string;
}

export interface SessionAnswer {
  readonly user: SessionUser;
  readonly authentication: "api_key" | "session";
  readonly scopes: readonly string[];
  readonly accounts: readonly Account[];
  readonly generation: number | null;
  readonly published_at: Instant | null;
  readonly as_of: Instant | null;
}

export interface FieldError {
  readonly field: string;
  readonly message: string;
}

/** RFC 9457 problem+json, as every error of the API comes. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly instance: string;
  readonly errors: readonly FieldError[];
}

/** An answer that is not a success, or no answer at all (status 0). */
export class ApiError extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
    this.name = "ApiError";
  }
}

function isProblem(body: unknown): body is Problem {
  return typeof body === "object" && body !== null && "title" in body && "detail" in body;
}

async function problemOf(response: Response, path: string): Promise<Problem> {
  const body: unknown = await response.json().catch(() => null);
  if (isProblem(body)) return { ...body, errors: body.errors ?? [] };
  return {
    type: "about:blank",
    title: "The server answered with an error",
    status: response.status,
    detail: `${response.status} ${response.statusText}`.trim(),
    instance: path,
    errors: [],
  };
}

function unreachable(path: string): Problem {
  return {
    type: "about:blank",
    title: "The server cannot be reached",
    status: 0,
    detail: "No answer came back. Is it running, and are you online?",
    instance: path,
    errors: [],
  };
}

/** Reads one answer; throws ApiError, or AbortError when the caller gave up. */
export async function read<Answer>(path: string, signal: AbortSignal): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(path, { signal, headers: { Accept: "application/json" } });
  } catch (error) {
    if (signal.aborted) throw error;
    throw new ApiError(unreachable(path));
  }
  if (!response.ok) throw new ApiError(await problemOf(response, path));
  return (await response.json()) as Answer;
}

export async function signOut(): Promise<void> {
  await fetch("/api/session", { method: "DELETE" });
}

/** The part of a request that every view of a window shares. */
function windowQuery(state: PageState): URLSearchParams {
  const { period } = state;
  const query = new URLSearchParams({ window: period.window });
  if (period.window === "custom") {
    query.set("from", period.from);
    query.set("to", period.to);
  }
  if (state.accounts.length > 0) query.set("accounts", state.accounts.join(","));
  query.set("compare", state.compare ? "previous" : "none");
  return query;
}

export function overviewPath(state: PageState): string {
  return `/api/analytics/overview?${windowQuery(state)}`;
}

export function platformPath(state: PageState, platform: string): string {
  return `/api/analytics/platform/${encodeURIComponent(platform)}?${windowQuery(state)}`;
}

export function postPath(postId: string): string {
  return `/api/analytics/posts/${encodeURIComponent(postId)}`;
}

export function postsPath(state: PageState, platform: string | null, limit: number): string {
  const query = windowQuery(state);
  if (platform !== null) query.set("platform", platform);
  query.set("sort", state.sort);
  query.set("order", state.order);
  query.set("limit", String(limit));
  return `/api/analytics/posts?${query}`;
}
