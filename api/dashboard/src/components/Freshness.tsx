/** How old the numbers are, always in sight; behind it the same for each account (METRICS.md 8). */

import type { Account, Freshness } from "../api";
import { ago, date, dateTime } from "../format";
import { accountName } from "../platforms";
import { PlatformIcon } from "./Icons";
import { Popover } from "./Popover";

/** Two polling intervals of six hours: older than that, something is wrong. */
const OLD_AFTER_MS = 12 * 3_600_000;

type Tone = "good" | "warn" | "none";

interface Judgement {
  readonly tone: Tone;
  /** Left out where there is little room. */
  readonly verb: string;
  readonly text: string;
}

function judge(answer: Freshness, zone: string, now: number): Judgement {
  if (answer.as_of === null) return { tone: "none", verb: "", text: "Nothing collected yet" };
  const collected = answer.accounts.filter((account) => account.is_proven);
  const age = now - Date.parse(answer.as_of);
  const text = ago(answer.as_of, now);
  if (collected.length === 0) return { tone: "none", verb: "Files up to", text: date(answer.as_of, zone) };
  const stale = collected.filter((account) => account.stale || account.as_of === null).length;
  const verb = "Updated";
  if (stale > 0) return { tone: "warn", verb, text: `${text}, ${stale} of ${collected.length} behind` };
  return { tone: age > OLD_AFTER_MS ? "warn" : "good", verb, text };
}

function AccountLine({ account, zone, now }: { account: Account; zone: string; now: number }) {
  const state = !account.is_proven ? "from files" : account.stale ? "behind" : "up to date";
  return (
    <li class="fresh-line">
      <PlatformIcon platform={account.platform} />
      <span class="fresh-name">{accountName(account)}</span>
      <span class="fresh-state">
        <span class={`dot dot--${!account.is_proven ? "none" : account.stale ? "warn" : "good"}`} />
        {account.as_of === null ? "never collected" : state}
      </span>
      {account.as_of && (
        <time class="fresh-time" dateTime={account.as_of} title={dateTime(account.as_of, zone)}>
          {ago(account.as_of, now)}
        </time>
      )}
    </li>
  );
}

interface Props {
  readonly answer: Freshness;
  readonly zone: string;
}

export function FreshnessBadge({ answer, zone }: Props) {
  const now = Date.now();
  const { tone, verb, text } = judge(answer, zone, now);
  return (
    <Popover
      label={`Freshness: ${verb} ${text}`}
      class="button button--quiet freshness"
      align="end"
      panelClass="popover-panel--wide"
      button={
        <>
          <span class={`dot dot--${tone}`} />
          <span class="freshness-text"><span class="freshness-verb">{verb} </span>{text}</span>
        </>
      }
    >
      {() => (
        <>
          <p class="popover-title">Latest successful collection</p>
          <ul class="plain-list">
            {answer.accounts.map((account) => (
              <AccountLine key={account.account_id} account={account} zone={zone} now={now} />
            ))}
          </ul>
          <p class="popover-note">
            Published {dateTime(answer.published_at, zone)} · generation {answer.generation}
          </p>
        </>
      )}
    </Popover>
  );
}
