/** What a post's engagements are made of, as a ring. */

import type { BreakdownPart } from "../api";
import { exact, percent } from "../format";
import { TERMS } from "../glossary";
import { type ChartOption, type Palette, escapeHtml, tipStyle } from "./base";

/** The part's colour, by its place; more parts than colours start over. */
export function partColor(index: number, parts: readonly string[]): string {
  return parts[index % parts.length] ?? "currentColor";
}

export function breakdownOption(breakdown: readonly BreakdownPart[], palette: Palette): ChartOption {
  return {
    textStyle: { fontFamily: palette.font },
    tooltip: {
      trigger: "item",
      ...tipStyle(palette),
      formatter: (hover) => {
        const part = Array.isArray(hover) ? undefined : breakdown[hover.dataIndex];
        if (!part) return "";
        const name = escapeHtml(TERMS[part.metric].label);
        return `<div class="chart-tip-head">${name}</div><b>${exact(part.value)}</b> · ${percent(part.share)}`;
      },
    },
    series: [
      {
        type: "pie",
        radius: ["62%", "92%"],
        animation: false,
        label: { show: false },
        emphasis: { scale: false },
        itemStyle: { borderColor: palette.surface, borderWidth: 2, borderRadius: 3 },
        data: breakdown.map((part, index) => ({
          name: TERMS[part.metric].label,
          value: part.value ?? 0,
          itemStyle: { color: partColor(index, palette.parts) },
        })),
      },
    ],
  };
}
