/** The parts of ECharts that are used, and no others; this module is a chunk of its own. */

import { BarChart, LineChart, PieChart } from "echarts/charts";
import { GridComponent, TooltipComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";

use([LineChart, BarChart, PieChart, GridComponent, TooltipComponent, SVGRenderer]);

export { init };
