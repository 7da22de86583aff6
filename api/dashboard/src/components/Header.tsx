/** The bar on top of every view. */

import { type Freshness, type SessionAnswer, signOut } from "../api";
import { usePage } from "../page";
import { toggleTheme, useTheme } from "../theme";
import { AccountFilter } from "./AccountFilter";
import { FreshnessBadge } from "./Freshness";
import { Keyboard, Logo, Moon, SignOut, Sun, User } from "./Icons";
import { Popover } from "./Popover";

interface Props {
  readonly session: SessionAnswer | null;
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

function UserMenu({ session, onHelp, onSignedOut }: Omit<Props, "session" | "freshness"> & { session: SessionAnswer }) {
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

export function Header({ session, freshness, onHelp, onSignedOut }: Props) {
  const { go, href } = usePage();
  const home = { view: { name: "overview" } } as const;
  return (
    <header class="topbar">
      <div class="topbar-inner">
        <a
          class="brand"
          href={href(home)}
          onClick={(event) => {
            event.preventDefault();
            go(home);
          }}
        >
          <Logo />
          <span class="brand-name">Nexus Analytics</span>
        </a>
        <div class="topbar-tools">
          {session && session.accounts.length > 0 && <AccountFilter accounts={session.accounts} />}
          {session && freshness && <FreshnessBadge answer={freshness} zone={session.user.timezone} />}
          <ThemeToggle />
          {session && <UserMenu session={session} onHelp={onHelp} onSignedOut={onSignedOut} />}
        </div>
      </div>
    </header>
  );
}
