/** The shell: who is signed in, which view is shown, and the keys that work everywhere. */

import { useMemo, useState } from "preact/hooks";

import {
  type OverviewAnswer,
  type Period,
  type SessionAnswer,
  type Window,
  type WindowAnswer,
  overviewPath,
} from "./api";
import { EmptyState } from "./components/EmptyState";
import { Header } from "./components/Header";
import { Help } from "./components/Help";
import { neighbour, PeriodBar } from "./components/PeriodBar";
import { dayRange, timeRange } from "./format";
import { type Shortcut, useShortcuts } from "./keyboard";
import { type Page, PageContext, usePageState } from "./page";
import { PRESETS } from "./period";
import { useResource } from "./resource";
import { toggleTheme } from "./theme";
import { NothingYet, Overview } from "./views/Overview";

function shortcutsOf(page: Page, answer: WindowAnswer | null, help: () => void): Shortcut[] {
  const { state, go } = page;
  const move = (direction: -1 | 1) => () => {
    const period = neighbour(state.period, answer, direction);
    if (period) go({ period });
  };
  return [
    ...PRESETS.map((window, index) => ({
      key: String(index + 1),
      shown: String(index + 1),
      meaning: { "24h": "Last 24 hours", "7d": "Last 7 days", "30d": "Last 30 days", "90d": "Last 90 days" }[window],
      run: () => go({ period: { window } }),
    })),
    { key: "ArrowLeft", shown: "←", meaning: "Previous period", run: move(-1) },
    { key: "ArrowRight", shown: "→", meaning: "Next period", run: move(1) },
    { key: "c", shown: "c", meaning: "Compare with the previous period", run: () => go({ compare: !state.compare }) },
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

function PageHead({ answer }: { answer: WindowAnswer | null }) {
  const text = answer ? periodText(answer.window, answer.window) : null;
  const previous = answer?.previous ? periodText(answer.previous, answer.window) : null;
  return (
    <div class="page-head">
      <div class="page-words">
        <h1 class="page-title">Overview</h1>
        <p class="page-range">
          {text ?? "\u00a0"}
          {previous && <span class="page-previous"> compared with {previous}</span>}
        </p>
      </div>
      <PeriodBar answer={answer} />
    </div>
  );
}

function Foot({ answer }: { answer: WindowAnswer }) {
  return (
    <footer class="foot">
      Days as in {answer.window.tz}. Gained in the period, from every reading kept; – is unknown, never zero.
    </footer>
  );
}

export function App() {
  const page = usePageState();
  const [helping, setHelping] = useState(false);
  const session = useResource<SessionAnswer>("/api/session");
  const overview = useResource<OverviewAnswer>(overviewPath(page.state));
  const signedOut = session.problem?.status === 401 || overview.problem?.status === 401;
  const { answer } = overview;

  const shortcuts = useMemo(() => shortcutsOf(page, answer, () => setHelping(true)), [page, answer]);
  useShortcuts(shortcuts);

  const who = signedOut ? null : session.answer;
  return (
    <PageContext.Provider value={page}>
      <a class="skip" href="#main">Skip to the figures</a>
      <Header
        session={who}
        freshness={signedOut ? null : answer}
        onHelp={() => setHelping(true)}
        onSignedOut={() => window.location.reload()}
      />
      {overview.loading && answer && <div class="progress" role="status" aria-label="Loading" />}
      <main id="main" class="main" tabIndex={-1}>
        {signedOut ? (
          <SignedOut />
        ) : who?.generation === null ? (
          <NothingYet />
        ) : who?.accounts.length === 0 ? (
          <NoAccount />
        ) : (
          <>
            <PageHead answer={answer} />
            <Overview resource={overview} />
            {answer && <Foot answer={answer} />}
          </>
        )}
      </main>
      {helping && <Help shortcuts={shortcuts} onClose={() => setHelping(false)} />}
    </PageContext.Provider>
  );
}
