/** The shell: who is signed in, which view is shown, and the keys that work everywhere. */

import { useEffect, useMemo, useState } from "preact/hooks";

import {
  type OverviewAnswer,
  type Period,
  type PlatformAnswer,
  type PostDetailAnswer,
  type SessionAnswer,
  type Window,
  type WindowAnswer,
  overviewPath,
  platformPath,
  postPath,
} from "./api";
import { EmptyState } from "./components/EmptyState";
import { Header } from "./components/Header";
import { Help } from "./components/Help";
import { PERIOD_NAMES, PeriodBar, neighbour } from "./components/PeriodBar";
import { ViewLink } from "./components/ViewLink";
import { NothingYet } from "./components/WindowStates";
import { dayRange, timeRange } from "./format";
import { type Shortcut, useShortcuts } from "./keyboard";
import { type Page, PageContext, usePage, usePageState } from "./page";
import { PRESETS } from "./period";
import { platformLook } from "./platforms";
import { useResource } from "./resource";
import { toggleTheme } from "./theme";
import type { View } from "./url";
import { Overview } from "./views/Overview";
import { PlatformView } from "./views/Platform";
import { PostView } from "./views/Post";

function periodShortcuts({ state, go }: Page, answer: WindowAnswer | null): Shortcut[] {
  const move = (direction: -1 | 1) => () => {
    const period = neighbour(state.period, answer, direction);
    if (period) go({ period });
  };
  return [
    ...PRESETS.map((window, index) => ({
      key: String(index + 1),
      shown: String(index + 1),
      meaning: PERIOD_NAMES[window],
      run: () => go({ period: { window } }),
    })),
    { key: "ArrowLeft", shown: "←", meaning: "Previous period", run: move(-1) },
    { key: "ArrowRight", shown: "→", meaning: "Next period", run: move(1) },
    { key: "c", shown: "c", meaning: "Compare with the previous period", run: () => go({ compare: !state.compare }) },
  ];
}

function shortcutsOf({ state, go }: Page, help: () => void): Shortcut[] {
  return [
    { key: "d", shown: "d", meaning: "Chart or data table", run: () => go({ table: !state.table }, { replace: true }) },
    { key: "t", shown: "t", meaning: "Light or dark theme", run: toggleTheme },
    { key: "?", shown: "?", meaning: "This help", run: help },
  ];
}

function SignedOut() {
  const expired = new URLSearchParams(window.location.search).get("signin") === "expired";
  return (
    <EmptyState
      kind="signed-out"
      title={expired ? "This link was used or has expired" : "You are signed out"}
    >
      <p>
        Nexus Analytics has no passwords. On the machine it runs on, ask for a one-time link and open it here:
      </p>
      <p><code class="command">nexus link</code></p>
    </EmptyState>
  );
}

function NoAccount() {
  return (
    <EmptyState kind="no-account" title="No account yet">
      <p>Connect one, or import the files that X lets you download:</p>
      <p><code class="command">nexus connect linkedin</code></p>
      <p><code class="command">nexus connect twitter</code></p>
      <p><code class="command">make import FILE=export.csv</code></p>
    </EmptyState>
  );
}

/** Whole days, but for the last 24 hours, which begin and end within a day. */
function periodText(period: Period, window: Window): string {
  if (window.name !== "24h") return dayRange(period.from, period.to);
  return timeRange(period.start, period.end, window.tz);
}

function titleOf(view: View): string {
  if (view.name === "platform") return platformLook(view.platform).label;
  return view.name === "post" ? "Post" : "Overview";
}

/** The platforms to choose from (directive 4.2: platform selector). */
function PlatformTabs({ platforms, chosen }: { platforms: readonly string[]; chosen: string }) {
  return (
    <nav class="segments" aria-label="Platform">
      {platforms.map((platform) => (
        <ViewLink
          key={platform}
          class="segment"
          to={{ view: { name: "platform", platform }, hidden: [] }}
          current={platform === chosen}
        >
          {platformLook(platform).label}
        </ViewLink>
      ))}
    </nav>
  );
}

function PageHead({ answer, platforms }: { answer: WindowAnswer | null; platforms: readonly string[] }) {
  const { view } = usePage().state;
  const text = answer ? periodText(answer.window, answer.window) : null;
  const previous = answer?.previous ? periodText(answer.previous, answer.window) : null;
  return (
    <div class="page-head">
      <div class="page-words">
        <h1 class="page-title">{titleOf(view)}</h1>
        {view.name === "post" ? (
          <p class="page-range">
            <ViewLink class="back" to={{ view: { name: "overview" } }}>← Overview</ViewLink>
          </p>
        ) : (
          <p class="page-range">
            {text ?? "\u00a0"}
            {previous && <span class="page-previous"> compared with {previous}</span>}
          </p>
        )}
      </div>
      {view.name !== "post" && (
        <div class="page-controls">
          {view.name === "platform" && platforms.length > 1 && <PlatformTabs platforms={platforms} chosen={view.platform} />}
          <PeriodBar answer={answer} />
        </div>
      )}
    </div>
  );
}

function Foot({ zone }: { zone: string }) {
  return (
    <footer class="foot">
      Days as in {zone}. Gained in the period, from every reading kept; – is unknown, never zero.
    </footer>
  );
}

export function App() {
  const page = usePageState();
  const { state } = page;
  const { view } = state;
  const [helping, setHelping] = useState(false);
  const session = useResource<SessionAnswer>("/api/session");
  const overview = useResource<OverviewAnswer>(view.name === "overview" ? overviewPath(state) : null);
  const platform = useResource<PlatformAnswer>(
    view.name === "platform" ? platformPath(state, view.platform) : null,
  );
  const post = useResource<PostDetailAnswer>(view.name === "post" ? postPath(view.postId) : null);
  const resource = { overview, platform, post }[view.name];
  const windowed = view.name === "platform" ? platform.answer : overview.answer;
  const signedOut = session.problem?.status === 401 || resource.problem?.status === 401;

  useEffect(() => {
    document.title = `${titleOf(view)} · Nexus Analytics`;
  }, [view]);

  const shortcuts = useMemo(
    () => [
      ...(view.name === "post" ? [] : periodShortcuts(page, windowed)),
      ...shortcutsOf(page, () => setHelping(true)),
    ],
    [page, view.name, windowed],
  );
  useShortcuts(shortcuts);

  const who = signedOut ? null : session.answer;
  const platforms = [...new Set(who?.accounts.map((account) => account.platform))].sort();
  const zone = who?.user.timezone ?? windowed?.window.tz ?? "UTC";
  return (
    <PageContext.Provider value={page}>
      <a class="skip" href="#main">Skip to the figures</a>
      <Header
        session={who}
        platforms={platforms}
        freshness={signedOut ? null : resource.answer}
        onHelp={() => setHelping(true)}
        onSignedOut={() => window.location.reload()}
      />
      {resource.loading && resource.answer && <div class="progress" role="status" aria-label="Loading" />}
      <main id="main" class="main" tabIndex={-1}>
        {signedOut ? (
          <SignedOut />
        ) : who?.generation === null ? (
          <NothingYet />
        ) : who?.accounts.length === 0 ? (
          <NoAccount />
        ) : (
          <>
            <PageHead answer={windowed} platforms={platforms} />
            {view.name === "overview" && <Overview resource={overview} />}
            {view.name === "platform" && <PlatformView resource={platform} />}
            {view.name === "post" && <PostView resource={post} zone={zone} />}
            {windowed && <Foot zone={windowed.window.tz} />}
          </>
        )}
      </main>
      {helping && <Help shortcuts={shortcuts} onClose={() => setHelping(false)} />}
    </PageContext.Provider>
  );
}
