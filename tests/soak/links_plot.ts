/** How old pictures are when they come, over time, as an SVG that is readable on light and dark pages. */
import { type LinkedViewer, percentile } from "./linked_viewer.ts";

const [LEFT, TOP, WIDTH, HEIGHT] = [52, 62, 380, 190];
const COLUMN = LEFT + WIDTH + 20;
const TICKS_SEC = [0.01, 0.1, 1, 2.5, 10];
const COLORS = [
  ["#0969da", "#4493f8"],
  ["#bc4c00", "#f0883e"],
  ["#1a7f37", "#3fb950"],
  ["#8250df", "#ab7df8"],
  ["#57606a", "#9198a1"],
] as const;

/** One run. */
export interface LinksRun {
  readonly title: string;
  readonly viewers: readonly Pick<LinkedViewer, "heavy" | "connection">[];
}

/** Draws the runs side by side. */
export function linksPlot(runs: readonly LinksRun[]): string {
  const names = runs[0]?.viewers.map(({ connection }) => connection.name) ?? [];
  const dark = COLORS.map(([, color], i) => `.c${i}{stroke:${color}}`).join("");
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${runs.length * COLUMN} ${
      TOP + HEIGHT + 44
    }" role="img">`,
    "<title>Age of the pictures that viewers on five links are shown</title>",
    "<style>text{font:12px system-ui,sans-serif;fill:#57606a}.t{font-weight:600}",
    "path{fill:none;stroke-width:1.6}.grid{stroke:#8c959f;stroke-opacity:.35;stroke-width:1}",
    COLORS.map(([color], i) => `.c${i}{stroke:${color}}`).join(""),
    `@media(prefers-color-scheme:dark){text{fill:#9198a1}${dark}}</style>`,
    ...names.map((name, i) => {
      const x = LEFT + i * 78;
      return `<path class="c${i}" d="M${x} 16h16"/>${text(x + 20, 20, name)}`;
    }),
    ...runs.flatMap(drawn),
    "</svg>\n",
  ].join("\n");
}

function drawn({ title, viewers }: LinksRun, column: number): string[] {
  const left = column * COLUMN + LEFT;
  const all = viewers.flatMap(({ heavy }) => heavy.map(({ ms }) => ms));
  const end = all.reduce((most, ms) => Math.max(most, ms), 1) / 1000;
  const x = (sec: number) => (left + WIDTH * sec / end).toFixed(1);
  const place = (sec: number) =>
    Math.log(Math.max(0.01, Math.min(20, sec)) / 0.01) / Math.log(2000);
  const y = (sec: number) => (TOP + HEIGHT * (1 - place(sec))).toFixed(1);
  const bottom = TOP + HEIGHT + 18;
  return [
    text(left, TOP - 14, title, 'class="t"'),
    ...TICKS_SEC.map((sec) =>
      `<path class="grid" d="M${left} ${y(sec)}h${WIDTH}"/>` +
      text(left - 6, Number(y(sec)) + 4, `${sec} s`, 'text-anchor="end"')
    ),
    ...[0, 0.5, 1].map((part) =>
      text(Number(x(part * end)), bottom, `${Math.round(part * end)} s`, 'text-anchor="middle"')
    ),
    text(left + WIDTH / 2, bottom + 18, "time", 'text-anchor="middle"'),
    ...viewers.map(({ heavy }, i) => {
      const seconds = Map.groupBy(heavy, ({ ms }) => Math.floor(ms / 1000));
      const points = Array.from(
        seconds,
        ([sec, each]) =>
          `${x(sec + 0.5)} ${y(percentile(each.map(({ ageMs }) => ageMs), 0.5) / 1000)}`,
      );
      return `<path class="c${i}" d="M${points.join("L")}"/>`;
    }),
  ];
}

function text(x: number, y: number, content: string, attributes = ""): string {
  return `<text x="${x}" y="${y}" ${attributes}>${content}</text>`;
}
