/** The bar on top of every view. */

import { type Freshness, type SessionAnswer, signOut } from "../api";
import { usePage } from "../page";
import { toggleTheme, useTheme } from "../theme";
import { AccountFilter } from "./AccountFilter";
import { FreshnessBadge } from "./Freshness";
import { Keyboard, Logo, Moon, SignOut, Sun, User } from "./Icons";
import { Popover } from "./Popover";
import { ViewLink } from "./ViewLink";

interface Props {
  readonly session: SessionAnswer | null;
  readonly platforms: readonly string[];
  readonly freshness: Freshness | null;
  readonly onHelp: () => void;
  readonly onSignedOut: () => void;
}

function ThemeToggle() {
  const dark = useTheme() === "dark";
  const label = dark ? "Light theme" : "Dark theme";
  return (
    <button type="button" class="button button--quiet button--icon theme-toggle" aria-label={label} title={label} onClick={toggleTheme}>
      {dark ? <Sun /> : <Moon />}
    </button>
  );
}

function UserMenu({ session, onHelp, onSignedOut }: Pick<Props, "onHelp" | "onSignedOut"> & { session: SessionAnswer }) {
  const dark = useTheme() === "dark";
  return (
    <Popover label={`Signed in as ${session.user.name}`} class="button button--quiet button--icon" align="end" button={<User />}>
      {(close) => (
        <>
          <p class="menu-user">
            <b>{session.user.name}</b>
            <span>{session.user.timezone}</span>
          </p>
          <button
            type="button"
            class="menu-item"
            onClick={() => {
              close();
              onHelp();
            }}
          >
            <Keyboard /> Keyboard keys <kbd>?</kbd>
          </button>
          <button type="button" class="menu-item" onClick={toggleTheme}>
            {dark ? <Sun /> : <Moon />} {dark ? "Light theme" : "Dark theme"} <kbd>t</kbd>
          </button>
          <button type="button" class="menu-item" onClick={() => void signOut().then(onSignedOut)}>
            <SignOut /> Sign out
          </button>
        </>
      )}
    </Popover>
  );
}

/** The views; a platform's view opens with the first platform there is. */
function Views({ platforms }: { platforms: readonly string[] }) {
  const { view } = usePage().state;
  const [first] = platforms;
  return (
    <nav class="views" aria-label="Views">
      <ViewLink class="view-link" to={{ view: { name: "overview" } }} current={view.name === "overview"}>
        Overview
      </ViewLink>
      {first !== undefined && (
        <ViewLink
          class="view-link"
          to={{ view: { name: "platform", platform: first }, hidden: [] }}
          current={view.name === "platform"}
        >
          Platforms
        </ViewLink>
      )}
    </nav>
  );
}

export function Header({ session, platforms, freshness, onHelp, onSignedOut }: Props) {
  const { view } = usePage().state;
  return (
    <header class="topbar">
      <div class="topbar-inner">
        <ViewLink class="brand" to={{ view: { name: "overview" } }}>
          <Logo />
          <span class="brand-name">Nexus Analytics</span>
        </ViewLink>
        {session && <Views platforms={platforms} />}
        <div class="topbar-tools">
          {session && session.accounts.length > 0 && view.name !== "post" && (
            <AccountFilter accounts={session.accounts} />
          )}
          {session && freshness && <FreshnessBadge answer={freshness} zone={session.user.timezone} />}
          <ThemeToggle />
          {session && <UserMenu session={session} onHelp={onHelp} onSignedOut={onSignedOut} />}
        </div>
      </div>
    </header>
  );
}
