/** Names and definitions of what is shown: the words of METRICS.md, written for its readers. */

export interface Term {
  readonly label: string;
  readonly definition: string;
  /** How a value is written: a count, a share of one, or a 0-1000 score. */
  readonly kind: "count" | "rate" | "score";
}

const count = (label: string, definition: string): Term => ({ label, definition, kind: "count" });

export const TERMS = {
  impressions: count(
    "Impressions",
    "How often the posts were shown. On X promoted views are included, on LinkedIn pages only organic ones.",
  ),
  engagements: count(
    "Engagements",
    "LinkedIn page: likes, comments, shares and clicks. LinkedIn member: likes, comments and shares. " +
      "X: likes, replies, reposts, quotes and bookmarks; its clicks are shown but not added.",
  ),
  engagement_rate: {
    label: "Engagement rate",
    definition:
      "All engagements divided by all impressions, over posts where both are known: large posts weigh more.",
    kind: "rate",
  },
  likes: count("Likes", "Likes on X, all reactions on LinkedIn."),
  comments: count("Comments", "Comments on LinkedIn. X has replies instead."),
  shares: count("Shares", "Reshares on LinkedIn. X has reposts and quotes instead."),
  clicks: count("Clicks", "Clicks on the post's links; on LinkedIn pages every click on the post."),
  replies: count("Replies", "Replies on X. LinkedIn has comments instead."),
  retweets: count("Reposts", "Reposts (retweets) on X, without a comment of their own."),
  quotes: count("Quotes", "Quotes on X: reposts with a comment of their own."),
  bookmarks: count("Bookmarks", "Bookmarks on X. LinkedIn does not offer them."),
  engagements_core: count(
    "Core engagements",
    "Reactions, comments or replies, shares or reposts, and quotes: what both platforms count.",
  ),
  engagement_score: {
    label: "Score",
    definition:
      "0 to 1,000: weighted engagements per impression. A comment or reply weighs 5, a share or repost 10, " +
      "a quote 8, a bookmark 3, a LinkedIn click 2, a like 1.",
    kind: "score",
  },
} as const satisfies Record<string, Term>;

export type TermName = keyof typeof TERMS;

export const CHART_METRICS = [
  "impressions",
  "engagements",
  "engagement_rate",
  "likes",
  "comments",
  "shares",
  "clicks",
  "replies",
  "retweets",
  "quotes",
  "bookmarks",
] as const satisfies readonly TermName[];

export type ChartMetric = (typeof CHART_METRICS)[number];

/** A name from an address, or the first metric where the address names none of ours. */
export function chartMetric(name: string): ChartMetric {
  return CHART_METRICS.find((metric) => metric === name) ?? CHART_METRICS[0];
}

export const HISTORY_DEFINITION =
  "Counted in the period but not seen to happen in it: lifetime totals of imported or newly connected posts, " +
  "and gains after more than 48 hours without a reading. Changes leave them out.";

export const BEST_PLATFORM_DEFINITION =
  "The platform with the highest core engagements (reactions, comments or replies, shares or reposts, quotes) " +
  "per impression gained in the period, among platforms with at least 100 impressions and 3 active posts.";
