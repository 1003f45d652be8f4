/** Latency and accept rate over time as an SVG, readable on light and dark pages. */
import type { Sample } from "./overload_server.ts";

/** The samples of one run. */
export interface Curve {
  readonly label: string;
  readonly samples: readonly Sample[];
}

/** One scenario: its column of the picture. */
export interface Column {
  readonly title: string;
  readonly curves: readonly Curve[];
}

interface Axis {
  readonly label: string;
  readonly ticks: readonly number[];
  /** Logarithmic. */
  readonly log?: boolean;
  readonly value: (sample: Sample) => number;
}

/** Latency from a hundredth of a second to the stall's ten, so that both ends can be read. */
const AXES: readonly Axis[] = [
  {
    label: "latency (s)",
    ticks: [0.01, 0.1, 0.2, 1, 10],
    log: true,
    value: ({ latencySec }) => Math.min(16, Math.max(0.01, latencySec)),
  },
  { label: "accept rate", ticks: [0, 0.5, 1], value: ({ acceptRate }) => acceptRate },
];
const [LEFT, TOP, WIDTH, HEIGHT, GAP] = [58, 62, 360, 150, 34];
const COLUMN = LEFT + WIDTH + 20;

/** Draws them side by side. */
export function plot(columns: readonly Column[]): string {
  const width = columns.length * COLUMN;
  const height = TOP + 2 * HEIGHT + GAP + 44;
  const legend = columns[0]!.curves.map(({ label }, i) => {
    const x = LEFT + i * 90;
    return `<path class="c${i}" d="M${x} 16h22"/>${text(x + 28, 20, label)}`;
  });
  legend.push(`<path class="max" d="M${LEFT + 180} 16h22"/>`);
  legend.push(text(LEFT + 208, 20, "maximum latency, 0.2 s"));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img">`,
    "<title>Latency and accept rate over time under overload</title>",
    "<style>text{font:12px system-ui,sans-serif;fill:#57606a}.t{font-weight:600}",
    "path{fill:none;stroke-width:1.6}.grid{stroke:#8c959f;stroke-opacity:.35;stroke-width:1}",
    ".c0{stroke:#0969da}.c1{stroke:#bc4c00}.max{stroke:#8250df;stroke-dasharray:4 3}",
    "@media(prefers-color-scheme:dark){text{fill:#9198a1}.c0{stroke:#4493f8}.c1{stroke:#f0883e}",
    ".max{stroke:#ab7df8}}</style>",
    ...legend,
    ...columns.flatMap(drawn),
    "</svg>\n",
  ].join("\n");
}

function drawn({ title, curves }: Column, column: number): string[] {
  const left = column * COLUMN + LEFT;
  const end = Math.ceil(Math.max(...curves.flatMap(({ samples }) => samples.map((s) => s.sec))));
  const x = (sec: number) => left + WIDTH * sec / end;
  const out = [text(left, TOP - 14, title, 'class="t"')];
  AXES.forEach((axis, row) => {
    const top = TOP + row * (HEIGHT + GAP);
    const y = (value: number) => top + HEIGHT * (1 - place(axis, value));
    const middle = `${left - 42} ${top + HEIGHT / 2}`;
    const [atX, atY] = middle.split(" ").map(Number);
    out.push(
      text(atX!, atY!, axis.label, `text-anchor="middle" transform="rotate(-90 ${middle})"`),
    );
    for (const tick of axis.ticks) {
      const isMax = axis.log && tick === 0.2;
      out.push(`<path class="${isMax ? "max" : "grid"}" d="M${left} ${fixed(y(tick))}h${WIDTH}"/>`);
      out.push(text(left - 6, y(tick) + 4, String(tick), 'text-anchor="end"'));
    }
    curves.forEach(({ samples }, i) => {
      const points = samples.map((s) => `${fixed(x(s.sec))} ${fixed(y(axis.value(s)))}`);
      out.push(`<path class="c${i}" d="M${points.join("L")}"/>`);
    });
  });
  const bottom = TOP + 2 * HEIGHT + GAP;
  for (let sec = 0; sec <= end; sec += end > 30 ? 10 : 5) {
    out.push(text(x(sec), bottom + 16, String(sec), 'text-anchor="middle"'));
  }
  out.push(text(left + WIDTH / 2, bottom + 34, "time (s)", 'text-anchor="middle"'));
  return out;
}

/** Where on its axis a value is, 0 to 1. */
function place({ ticks, log }: Axis, value: number): number {
  const scale = log ? Math.log : (x: number) => x;
  const [low, high] = [ticks[0]!, log ? 16 : ticks.at(-1)!];
  return (scale(value) - scale(low)) / (scale(high) - scale(low));
}

function text(x: number, y: number, content: string, attributes = ""): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" ${attributes}>${content}</text>`;
}

function fixed(value: number): string {
  return String(Math.round(value * 10) / 10);
}
