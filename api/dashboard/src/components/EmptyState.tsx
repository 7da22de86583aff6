/** What is shown where there are no numbers: why, and what to do about it. */

import type { ComponentChildren } from "preact";

interface Props {
  readonly kind: "no-account" | "nothing-yet" | "no-data" | "error" | "signed-out" | "not-found";
  readonly title: string;
  readonly children: ComponentChildren;
  readonly actions?: ComponentChildren;
}

const ART: Record<Props["kind"], ComponentChildren> = {
  "no-account": <path d="M24 14v20M14 24h20" />,
  "nothing-yet": <><circle cx="24" cy="24" r="11" /><path d="M24 17.5V24l4.5 3" /></>,
  "no-data": <path d="M13 34h22M16 34v-5M22 34v-9M28 34v-4M34 34V21" stroke-dasharray="3 3.5" />,
  error: <path d="M24 14v12M24 32.5v.2" />,
  "signed-out": <><rect x="15" y="22" width="18" height="13" rx="2.5" /><path d="M19 22v-3.5a5 5 0 0 1 10 0V22" /></>,
  "not-found": <><circle cx="22" cy="22" r="8" /><path d="m28 28 6 6" /></>,
};

export function EmptyState({ kind, title, children, actions }: Props) {
  return (
    <section class="empty" data-empty={kind} role={kind === "error" ? "alert" : "status"}>
      <svg class={`empty-art empty-art--${kind}`} width="48" height="48" viewBox="0 0 48 48" aria-hidden="true">
        <circle cx="24" cy="24" r="23.5" class="empty-art-disc" />
        <g fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round">
          {ART[kind]}
        </g>
      </svg>
      <h2 class="empty-title">{title}</h2>
      <div class="empty-text">{children}</div>
      {actions && <div class="empty-actions">{actions}</div>}
    </section>
  );
}
