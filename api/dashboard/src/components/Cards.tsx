/** The four figures on top (directive 4.1). Cards of chartable metrics pick the chart's metric. */

import type { ComponentChildren } from "preact";

import type { CountCard, OverviewAnswer, RateCard, WindowAnswer } from "../api";
import { compact, dayRange, exact, percent } from "../format";
import { BEST_PLATFORM_DEFINITION, HISTORY_DEFINITION, TERMS, type TermName } from "../glossary";
import { usePage } from "../page";
import { platformLook } from "../platforms";
import { Change } from "./Change";
import { PlatformIcon } from "./Icons";
import { Skeleton } from "./Skeleton";
import { Tip } from "./Tip";

interface CardProps {
  readonly title: string;
  readonly definition: ComponentChildren;
  readonly metric?: TermName;
  readonly value: ComponentChildren;
  /** Exact value, shown by the browser on hover. */
  readonly exactly?: string | undefined;
  readonly change: ComponentChildren;
  readonly note: ComponentChildren;
}

export function PlainCard({ title, definition, metric, value, exactly, change, note }: CardProps) {
  const { state, go } = usePage();
  const chosen = metric !== undefined && state.metric === metric;
  return (
    <section class={`card ${metric ? "card--choice" : ""}`} aria-label={title} data-card={title}>
      <div class="card-title">
        <h2>
          {metric ? (
            <button
              type="button"
              class="card-choose"
              aria-pressed={chosen}
              onClick={() => go({ metric }, { replace: true })}
            >
              {title}
            </button>
          ) : (
            title
          )}
        </h2>
        <Tip label={`What is ${title}?`} text={definition} />
      </div>
      <p class="card-value" title={exactly}>
        {value}
      </p>
      <p class="card-change">{change}</p>
      <p class="card-note">{note}</p>
    </section>
  );
}

function History({ card }: { card: CountCard }) {
  if (!card.from_history) return <span>{"\u00a0"}</span>;
  return (
    <Tip class="tip-text" label={`Includes ${exact(card.from_history)} from history`} text={HISTORY_DEFINITION}>
      {card.from_history === card.value ? "all from history" : `incl. ${compact(card.from_history)} from history`}
    </Tip>
  );
}

export function Count({ metric, card, answer }: { metric: TermName; card: CountCard; answer: WindowAnswer }) {
  const term = TERMS[metric];
  return (
    <PlainCard
      title={`Total ${term.label}`}
      definition={term.definition}
      metric={metric}
      value={compact(card.value)}
      exactly={exact(card.value)}
      change={<ChangeOf change={card.change} before={exact(card.previous_observed)} answer={answer} />}
      note={<History card={card} />}
    />
  );
}

export function Rate({ card, answer }: { card: RateCard; answer: WindowAnswer }) {
  const definition = (
    <>
      {TERMS.engagement_rate.definition} Mean of the posts' own rates: {percent(card.avg_engagement_rate)};
      typical post (median): {percent(card.median)}.
    </>
  );
  return (
    <PlainCard
      title="Avg Engagement Rate"
      definition={definition}
      metric="engagement_rate"
      value={percent(card.value)}
      change={<ChangeOf change={card.change} before={percent(card.previous)} answer={answer} />}
      note={card.median === null ? "\u00a0" : `typical post ${percent(card.median)}`}
    />
  );
}

function ChangeOf(props: { change: CountCard["change"]; before: string; answer: WindowAnswer }) {
  const { previous, coverage } = props.answer;
  return (
    <Change
      change={props.change}
      coverage={coverage}
      before={props.before}
      previous={previous ? dayRange(previous.from, previous.to) : ""}
    />
  );
}

function Best({ answer }: { answer: OverviewAnswer }) {
  const { best_platform: best } = answer.cards;
  const winner = best.platforms.find(({ platform }) => platform === best.platform);
  const others = best.platforms.filter(({ platform }) => platform !== best.platform);
  const standing = others.map(
    (other) =>
      `${platformLook(other.platform).label} ${percent(other.rate)}${winner && !other.eligible ? " (too few posts)" : ""}`,
  );
  return (
    <PlainCard
      title="Best Performing Platform"
      definition={BEST_PLATFORM_DEFINITION}
      value={
        winner ? (
          <span class="card-platform">
            <PlatformIcon platform={winner.platform} /> {platformLook(winner.platform).label}
          </span>
        ) : (
          "–"
        )
      }
      change={winner ? `${percent(winner.rate)} core rate` : "not enough data"}
      note={standing.join(" · ") || "\u00a0"}
    />
  );
}

export function Cards({ answer }: { answer: OverviewAnswer }) {
  return (
    <div class="cards">
      <Count metric="impressions" card={answer.cards.impressions} answer={answer} />
      <Count metric="engagements" card={answer.cards.engagements} answer={answer} />
      <Rate card={answer.cards.engagement_rate} answer={answer} />
      <Best answer={answer} />
    </div>
  );
}

const TITLES = ["Total Impressions", "Total Engagements", "Avg Engagement Rate", "Best Performing Platform"];

export function CardsSkeleton() {
  return (
    <div class="cards" aria-hidden="true">
      {TITLES.map((title) => (
        <div class="card" key={title}>
          <p class="card-title">{title}</p>
          <p class="card-value"><Skeleton width="5ch" /></p>
          <p class="card-change"><Skeleton width="9ch" /></p>
          <p class="card-note"><Skeleton width="14ch" /></p>
        </div>
      ))}
    </div>
  );
}
