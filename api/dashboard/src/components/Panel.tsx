/** The frame of everything below the cards: a titled box with tools on its right. */

import type { ComponentChildren } from "preact";

import { usePage } from "../page";
import { ChartIcon, TableIcon } from "./Icons";
import { Tip } from "./Tip";

interface Props {
  /** Unique on the page; names the panel's region. */
  readonly id: string;
  readonly title: ComponentChildren;
  readonly definition?: ComponentChildren;
  /** Name of the definition's button; needed where there is a definition. */
  readonly about?: string;
  readonly tools?: ComponentChildren;
  readonly legend?: ComponentChildren;
  readonly busy?: boolean;
  readonly class?: string;
  readonly children: ComponentChildren;
}

export function Panel(props: Props) {
  const heading = `${props.id}-title`;
  return (
    <section class={`panel ${props.class ?? ""}`} aria-labelledby={heading} aria-busy={props.busy}>
      <header class="panel-head">
        <div class="panel-title">
          <h2 id={heading}>{props.title}</h2>
          {props.definition && <Tip label={props.about ?? ""} text={props.definition} />}
        </div>
        {props.legend}
        {props.tools && <div class="panel-tools">{props.tools}</div>}
      </header>
      {props.children}
    </section>
  );
}

/** Switches all charts of the page to the figures behind them, and back. */
export function TableToggle() {
  const { state, go } = usePage();
  return (
    <button
      type="button"
      class="button button--icon"
      aria-pressed={state.table}
      aria-label={state.table ? "Show the chart" : "Show the figures as a table"}
      title={state.table ? "Chart" : "Table"}
      onClick={() => go({ table: !state.table }, { replace: true })}
    >
      {state.table ? <ChartIcon /> : <TableIcon />}
    </button>
  );
}
