/** Lines of growth side by side as an SVG, readable on light and dark pages. */

/** What grows with what. */
export interface Panel {
  readonly title: string;
  /** Steps of what grows, drawn at equal distances. */
  readonly steps: readonly string[];
  readonly unit: string;
  /** Values by runtime, one a step; the linear scale begins at 0. */
  readonly values: Readonly<Record<"deno" | "bun", readonly number[]>>;
  /** Whether both scales are logarithmic, so that what is linear is a straight line. */
  readonly log?: boolean;
}

const [LEFT, TOP, WIDTH, HEIGHT] = [58, 66, 250, 170];
const COLUMN = LEFT + WIDTH + 24;

/** Draws them. */
export function growthPlot(
  panels: readonly Panel[],
  machine: string,
  title = "Cost as work grows",
): string {
  const width = panels.length * COLUMN;
  const height = TOP + HEIGHT + 56;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img">`,
    `<title>${title}</title>`,
    "<style>text{font:12px system-ui,sans-serif;fill:#57606a}.t{font-weight:600}",
    "path{fill:none;stroke-width:1.8}.grid{stroke:#8c959f;stroke-opacity:.35;stroke-width:1}",
    ".deno{stroke:#0969da}.bun{stroke:#bc4c00}",
    "@media(prefers-color-scheme:dark){text{fill:#9198a1}.deno{stroke:#4493f8}.bun{stroke:#f0883e}}",
    "</style>",
    `<path class="deno" d="M${LEFT} 16h22"/>${text(LEFT + 28, 20, "Deno")}`,
    `<path class="bun" d="M${LEFT + 90} 16h22"/>${text(LEFT + 118, 20, "Bun")}`,
    text(LEFT + 200, 20, machine),
    ...panels.flatMap(drawn),
    "</svg>\n",
  ].join("\n");
}

function drawn({ title, steps, unit, values, log }: Panel, column: number): string[] {
  const left = column * COLUMN + LEFT;
  const all = Object.values(values).flat();
  const high = log ? 10 ** Math.ceil(Math.log10(Math.max(...all))) : round(Math.max(...all) * 1.1);
  const low = log ? 10 ** Math.floor(Math.log10(Math.min(...all))) : 0;
  const share = (value: number) =>
    log ? Math.log(value / low) / Math.log(high / low) : value / high;
  const y = (value: number) => TOP + HEIGHT * (1 - share(value));
  const x = (step: number) => left + WIDTH * step / (steps.length - 1);
  const ticks = log
    ? Array.from({ length: Math.round(Math.log10(high / low)) + 1 }, (_, i) => low * 10 ** i)
    : [0, high / 2, high];
  return [
    text(left, TOP - 16, `${title}, ${unit}`, 'class="t"'),
    ...ticks.flatMap((tick) => [
      `<path class="grid" d="M${left} ${y(tick).toFixed(1)}h${WIDTH}"/>`,
      text(left - 6, y(tick) + 4, String(Number(tick.toPrecision(2))), 'text-anchor="end"'),
    ]),
    ...steps.map((step, i) => text(x(i), TOP + HEIGHT + 20, step, 'text-anchor="middle"')),
    ...(["deno", "bun"] as const).map((runtime) => {
      const points = values[runtime].map((value, i) => `${x(i).toFixed(1)} ${y(value).toFixed(1)}`);
      return `<path class="${runtime}" d="M${points.join("L")}"/>`;
    }),
  ];
}

/** The next larger number with two digits that are not 0. */
function round(value: number): number {
  const unit = 10 ** (Math.floor(Math.log10(value)) - 1);
  return Math.ceil(value / unit) * unit;
}

function text(x: number, y: number, content: string, attributes = ""): string {
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" ${attributes}>${content}</text>`;
}
