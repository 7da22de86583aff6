/** What is known of each platform besides its numbers. An unknown one still gets a name and a colour. */

interface PlatformLook {
  readonly label: string;
  /** CSS custom property of its series colour. */
  readonly color: string;
  readonly symbol: "circle" | "diamond" | "triangle" | "rect";
}

const LOOKS: Readonly<Record<string, PlatformLook>> = {
  linkedin: { label: "LinkedIn", color: "--series-linkedin", symbol: "circle" },
  twitter: { label: "X", color: "--series-twitter", symbol: "diamond" },
};

export function platformLook(platform: string): PlatformLook {
  return (
    LOOKS[platform] ?? {
      label: platform.charAt(0).toUpperCase() + platform.slice(1),
      color: "--series-other",
      symbol: "triangle",
    }
  );
}

/** The custom properties of all series colours. */
export function platformColors(): string[] {
  return [...Object.values(LOOKS).map(({ color }) => color), "--series-other"];
}

const KINDS = { page: "page", member: "member", profile: "profile" } as const;

/** "@handle", else the name, else what kind of account it is. */
export function accountName(account: {
  platform: string;
  account_kind: keyof typeof KINDS;
  handle: string | null;
  display_name: string | null;
}): string {
  if (account.platform === "twitter" && account.handle) return `@${account.handle.replace(/^@/, "")}`;
  return (
    account.display_name ??
    account.handle ??
    `${platformLook(account.platform).label} ${KINDS[account.account_kind]}`
  );
}
