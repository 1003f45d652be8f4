/** The last two minutes of throughput and latency. */
import { byId } from "./dom.js";
import { formatLatency, formatRate } from "./format.js";

const { default: uPlot } = await import(new URL("plot/uPlot.esm.js", import.meta.url).href);

const SECONDS = 120;
const HEIGHT = 96;
const AXIS_WIDTH = 58;
const MIN_WIDTH = 200;

/** @type {number[]} */
const times = [];
/** @type {[number[], number[]]} */
const series = [[], []];
/** @type {any[]} */
let plots = [];

/**
 * The next larger round number, for the top of an axis.
 *
 * @param {number} value
 */
function roundUp(value) {
  const unit = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * unit).find((round) => round >= value) ?? value;
}

/**
 * @param {string} id
 * @param {string} color name of a CSS variable
 * @param {(value: number) => string} format
 * @param {number} least the top of the axis where all values are small
 */
function makePlot(id, color, format, least) {
  const style = getComputedStyle(document.documentElement);
  const of = (/** @type {string} */ name) => style.getPropertyValue(name).trim();
  const grid = { stroke: of("--line"), width: 1 };
  const axis = { stroke: of("--dim"), grid, ticks: { show: false }, font: "11px system-ui" };
  const holder = byId(id);
  return new uPlot(
    {
      width: Math.max(MIN_WIDTH, holder.clientWidth),
      height: HEIGHT,
      padding: [6, 14, 0, 0],
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: false, range: () => [-SECONDS, 0] },
        y: {
          range: (/** @type {number[]} */ ...[, , max]) => [0, roundUp(Math.max(least, max ?? 0))],
        },
      },
      axes: [
        {
          ...axis,
          size: 20,
          splits: () => [-SECONDS, -SECONDS / 2, 0],
          values: () => ["2 min", "1 min", "now"],
        },
        {
          ...axis,
          size: AXIS_WIDTH,
          splits: (/** @type {number[]} */ ...[, , , max]) => [0, (max ?? 0) / 2, max],
          values: (/** @type {unknown} */ _, /** @type {number[]} */ at) => at.map(format),
        },
      ],
      series: [{}, {
        stroke: of(color),
        width: 1.5,
        fill: `${of(color)}22`,
        points: { show: false },
      }],
    },
    [[], []],
    holder,
  );
}

function remake() {
  for (const plot of plots) plot.destroy();
  plots = [
    makePlot("throughput-plot", "--accent", formatRate, 1000),
    makePlot("latency-plot", "--latency", (ms) => formatLatency(ms / 1000), 1),
  ];
  draw();
}

function draw() {
  const now = times.at(-1) ?? 0;
  const ages = times.map((time) => (time - now) / 1000);
  for (const [i, plot] of plots.entries()) plot.setData([ages, series[i]]);
}

/** Draws both plots, and draws them again when colors or the width change. */
export function startPlots() {
  remake();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", remake);
  new ResizeObserver(() => {
    const width = Math.max(MIN_WIDTH, byId("throughput-plot").clientWidth);
    for (const plot of plots) if (plot.width !== width) plot.setSize({ width, height: HEIGHT });
  }).observe(byId("throughput-plot"));
}

/**
 * @param {number} at milliseconds
 * @param {number} bytesPerSecond
 * @param {number} latencySec
 */
export function addPoint(at, bytesPerSecond, latencySec) {
  times.push(at);
  series[0].push(bytesPerSecond);
  series[1].push(latencySec * 1000);
  while (at - (times[0] ?? at) > SECONDS * 1000) {
    times.shift();
    for (const values of series) values.shift();
  }
  draw();
}
