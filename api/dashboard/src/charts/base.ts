/** What all charts share: the option's type, the theme's colours, the words of a tooltip. */

import type { BarSeriesOption, LineSeriesOption, PieSeriesOption } from "echarts/charts";
import type { GridComponentOption, TooltipComponentOption } from "echarts/components";
import type { ComposeOption } from "echarts/core";

export type ChartOption = ComposeOption<
  | LineSeriesOption
  | BarSeriesOption
  | PieSeriesOption
  | GridComponentOption
  | TooltipComponentOption
>;

/** The theme's colours, resolved. */
export interface Palette {
  readonly font: string;
  readonly text: string;
  readonly muted: string;
  readonly line: string;
  readonly surface: string;
  readonly raised: string;
  readonly series: (platform: string) => string;
  /** Colours of the parts of a whole, in order. */
  readonly parts: readonly string[];
}

const escapes: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

export function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => escapes[sign] ?? sign);
}

/** A line of a tooltip: swatch, name, value. Without a colour the swatch's place stays empty. */
export function tipRow(name: string, value: string, color?: string): string {
  const swatch = color ? `<i style="background:${escapeHtml(color)}"></i>` : "<i></i>";
  return `<div class="chart-tip-row">${swatch}<span>${escapeHtml(name)}</span><b>${escapeHtml(value)}</b></div>`;
}

/** The frame of every tooltip. */
export function tipStyle(palette: Palette) {
  return {
    className: "chart-tip",
    confine: true,
    transitionDuration: 0,
    backgroundColor: palette.raised,
    borderColor: palette.line,
    borderWidth: 1,
    padding: [9, 12],
    textStyle: { color: palette.text, fontSize: 13, fontFamily: palette.font },
  };
}

/** Room for the labels and no more. */
export const TIGHT_GRID = {
  left: 8,
  right: 16,
  top: 16,
  bottom: 4,
  outerBoundsMode: "same",
  outerBoundsContain: "axisLabel",
} as const;
