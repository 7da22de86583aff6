/** A place of fixed height for one ECharts chart; the library comes when the first chart is shown. */

import { useEffect, useRef, useState } from "preact/hooks";

import type { ChartOption, Palette } from "../charts/base";
import { platformColors, platformLook } from "../platforms";
import { useTheme } from "../theme";

/** Fetches the library once; called early, so that it comes while the figures do. */
export const loadCharts = () => import("../charts/echarts");

type Charts = typeof import("../charts/echarts");
type Instance = ReturnType<Charts["init"]>;

const PARTS = [1, 2, 3, 4, 5].map((n) => `--part-${n}`);

/** A custom property may be a light-dark() pair; only an element's own colour is resolved. */
function readPalette(place: HTMLElement): Palette {
  const probe = place.appendChild(document.createElement("i"));
  const property = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const colors = new Map(platformColors().map((name) => [name, property(name)]));
  const palette: Palette = {
    font: getComputedStyle(place).fontFamily,
    text: property("--text"),
    muted: property("--muted"),
    line: property("--line"),
    surface: property("--surface"),
    raised: property("--raised"),
    series: (platform) => colors.get(platformLook(platform).color) ?? "currentColor",
    parts: PARTS.map(property),
  };
  probe.remove();
  return palette;
}

interface Props {
  /** Says in words what the picture shows; the data table says the rest. */
  readonly label: string;
  readonly option: (palette: Palette) => ChartOption;
}

export function Chart({ label, option }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<Instance | null>(null);
  const [charts, setCharts] = useState<Charts | null>(null);
  const theme = useTheme();

  useEffect(() => {
    let gone = false;
    void loadCharts().then((loaded) => {
      if (!gone) setCharts(loaded);
    });
    return () => {
      gone = true;
    };
  }, []);

  useEffect(() => {
    if (!charts || !place.current) return undefined;
    const instance = charts.init(place.current, null, { renderer: "svg" });
    chart.current = instance;
    const resize = new ResizeObserver(() => instance.resize());
    resize.observe(place.current);
    return () => {
      resize.disconnect();
      instance.dispose();
      chart.current = null;
    };
  }, [charts]);

  useEffect(() => {
    if (!chart.current || !place.current) return;
    chart.current.setOption(option(readPalette(place.current)), { notMerge: true });
  }, [charts, option, theme]);

  return <div class="chart" role="img" aria-label={label} ref={place} />;
}
