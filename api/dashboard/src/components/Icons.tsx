/** Line icons, drawn for this page at 16 px; decorative, so hidden from assistive technology. */

import type { ComponentChildren } from "preact";

function Icon({ children, size = 16 }: { children: ComponentChildren; size?: number }) {
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 16 16"
      fill="none"
      stroke="currentColor"
      stroke-width="1.5"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
      focusable="false"
    >
      {children}
    </svg>
  );
}

export const ChevronLeft = () => <Icon><path d="M10 3.5 5.5 8l4.5 4.5" /></Icon>;
export const ChevronRight = () => <Icon><path d="M6 3.5 10.5 8 6 12.5" /></Icon>;
export const ChevronDown = () => <Icon size={12}><path d="M3 6l5 5 5-5" /></Icon>;
export const ArrowUp = () => <Icon size={12}><path d="M8 13V3M3.5 7.5 8 3l4.5 4.5" /></Icon>;
export const ArrowDown = () => <Icon size={12}><path d="M8 3v10M3.5 8.5 8 13l4.5-4.5" /></Icon>;
export const ArrowFlat = () => <Icon size={12}><path d="M3 8h10M9 4l4 4-4 4" /></Icon>;
export const Info = () => <Icon size={14}><circle cx="8" cy="8" r="6.25" /><path d="M8 7.5V11M8 5.1v.1" /></Icon>;
export const Sun = () => (
  <Icon>
    <circle cx="8" cy="8" r="2.75" />
    <path d="M8 1.5v1M8 13.5v1M1.5 8h1M13.5 8h1M3.4 3.4l.7.7M11.9 11.9l.7.7M3.4 12.6l.7-.7M11.9 4.1l.7-.7" />
  </Icon>
);
export const Moon = () => <Icon><path d="M13.5 9.5A5.75 5.75 0 0 1 6.5 2.5a5.75 5.75 0 1 0 7 7Z" /></Icon>;
export const User = () => <Icon><circle cx="8" cy="5.5" r="2.75" /><path d="M2.75 14a5.25 5.25 0 0 1 10.5 0" /></Icon>;
export const External = () => <Icon><path d="M9.5 2.5h4v4M13.5 2.5 7.5 8.5M11.5 9.5v3a1 1 0 0 1-1 1h-7a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1h3" /></Icon>;
export const Link = () => <Icon><path d="M6.75 9.25a2.75 2.75 0 0 0 4 .1l2-2a2.75 2.75 0 0 0-3.9-3.9l-.8.8M9.25 6.75a2.75 2.75 0 0 0-4-.1l-2 2a2.75 2.75 0 0 0 3.9 3.9l.8-.8" /></Icon>;
export const Check = () => <Icon><path d="m3 8.5 3.25 3.25L13 5" /></Icon>;
export const TableIcon = () => <Icon><rect x="2" y="2.75" width="12" height="10.5" rx="1.5" /><path d="M2 6.25h12M6.5 6.25v7" /></Icon>;
export const ChartIcon = () => <Icon><path d="M2 2.5v10a1 1 0 0 0 1 1h11M4.75 10l3-3.25 2.25 2L13.5 5" /></Icon>;
export const Keyboard = () => <Icon><rect x="1.5" y="4" width="13" height="8.5" rx="1.5" /><path d="M4.25 7h.01M6.75 7h.01M9.25 7h.01M11.75 7h.01M5 9.75h6" /></Icon>;
export const SignOut = () => <Icon><path d="M6 13.5H3.5a1 1 0 0 1-1-1v-9a1 1 0 0 1 1-1H6M10.5 11l3-3-3-3M13.5 8H6" /></Icon>;

export function Logo() {
  return (
    <svg class="logo" width="24" height="24" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
      <rect width="32" height="32" rx="8" fill="var(--accent-solid)" />
      <path
        d="M9 22.5V11l14 10.5V9.5"
        fill="none"
        stroke="#fff"
        stroke-width="2.6"
        stroke-linecap="round"
        stroke-linejoin="round"
      />
      <circle cx="9" cy="22.5" r="2.6" fill="#fff" />
      <circle cx="23" cy="9.5" r="2.6" fill="#fff" />
    </svg>
  );
}

const GLYPHS: Readonly<Record<string, ComponentChildren>> = {
  linkedin: <path d="M4.9 7v4.6M4.9 4.5v.1M7.7 11.6V7M7.7 9.2c0-1.4.8-2.3 1.9-2.3s1.7.8 1.7 2v2.7" />,
  twitter: <path d="m4.6 4.4 6.8 7.2M11.2 4.4 4.8 11.6" />,
};

/** The platform's mark in its series colour. */
export function PlatformIcon({ platform }: { platform: string }) {
  return (
    <svg
      class={`platform-icon platform-icon--${platform}`}
      width="16"
      height="16"
      viewBox="0 0 16 16"
      aria-hidden="true"
      focusable="false"
    >
      <rect width="16" height="16" rx="4" fill="currentColor" />
      <g fill="none" stroke="var(--surface)" stroke-width="1.6" stroke-linecap="round">
        {GLYPHS[platform] ?? <circle cx="8" cy="8" r="2.5" />}
      </g>
    </svg>
  );
}
