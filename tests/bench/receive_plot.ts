/** How fast streams are received as an SVG, readable on light and dark pages. */
import type { Group, Result, Results } from "./bench_groups.ts";
import { median } from "./figures.ts";
import type { Row } from "./receive.ts";
import type { What } from "./receive_runs.ts";
import { type Workload, WORKLOADS } from "./recordings.ts";
import type { Stream } from "./streams.ts";

const ROWS: readonly { label: string; group: Group; what: What; peer?: true }[] = [
  { label: "only reading the socket", group: "speed", what: "control" },
  { label: "Rerelay", group: "speed", what: "server" },
  { label: "Rerelay, saving to a file", group: "save", what: "save" },
  { label: "Rerelay, table() of each message", group: "tables", what: "tables" },
  { label: "Rerun 0.22.1's server, decodes Arrow", group: "speed", what: "server", peer: true },
];
const RUNTIMES = [["deno", "Deno"], ["bun", "Bun"], ["peer", "Rerun (Rust)"]] as const;
const [LEFT, TOP, WIDTH, GAP] = [248, 66, 236, 8];
/** Right of a bar, for its figure. */
const ROOM = 48;
const [BAR, PITCH] = [11, 36];

/** Draws all workloads side by side. */
export function picture(results: Results, machine: string): string {
  const panels = Object.keys(WORKLOADS).flatMap((name) => results[name as Workload] ?? []);
  const width = LEFT + panels.length * (WIDTH + GAP);
  const bottom = TOP + ROWS.length * PITCH;
  const rounds = Math.min(
    ...panels.flatMap(({ groups }) =>
      Object.values(groups).flatMap((rows) => rows.map(({ runs }) => runs.length))
    ),
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${bottom + 44}" role="img">`,
    "<title>Receive speed of one client in megabytes a second</title>",
    "<style>text{font:12px system-ui,sans-serif;fill:#57606a}.t{font-weight:600}",
    ".axis{stroke:#8c959f;stroke-opacity:.6}.range{stroke:#1f2328;stroke-opacity:.75}",
    ".deno{fill:#0969da}.bun{fill:#bc4c00}.peer{fill:#8250df}",
    "@media(prefers-color-scheme:dark){text{fill:#9198a1}.range{stroke:#f0f6fc}",
    ".deno{fill:#4493f8}.bun{fill:#f0883e}.peer{fill:#ab7df8}}</style>",
    ...RUNTIMES.flatMap(([runtime, label], i) => [
      `<rect class="${runtime}" x="${LEFT + i * 80}" y="10" width="12" height="${BAR}"/>`,
      text(LEFT + i * 80 + 18, 20, label),
    ]),
    ...ROWS.map(({ label, peer }, i) =>
      text(LEFT - 10, TOP + i * PITCH + (peer ? BAR : BAR + 5), label, 'text-anchor="end"')
    ),
    ...panels.flatMap(({ stream, groups }, i) => panel(stream, groups, LEFT + i * (WIDTH + GAP))),
    text(
      10,
      bottom + 16,
      `MB/s, median of at least ${rounds} runs; the lines go from lowest to highest`,
    ),
    text(10, bottom + 34, machine),
    "</svg>\n",
  ].join("\n");
}

function panel(stream: Stream, groups: Result["groups"], left: number): string[] {
  const title = `${stream.name}: ${stream.messages.toLocaleString("en")} messages, ` +
    `${(stream.bytes / 1e6).toFixed(0)} MB`;
  const bars = ROWS.flatMap(({ group, what, peer }, i) =>
    (peer ? ["peer"] : ["deno", "bun"]).flatMap((runtime, k) => {
      const row = groups[group]?.find(({ subject }) =>
        subject.runtime === runtime && subject.what === what && subject.clients === 1
      );
      return row === undefined
        ? []
        : [{ runtime, top: TOP + i * PITCH + k * (BAR + 2), ...speeds(row, stream) }];
    })
  );
  const most = Math.max(...bars.map(({ high }) => high));
  const x = (speed: number) => left + (WIDTH - ROOM) * speed / most;
  return [
    text(left, TOP - 14, title, 'class="t"'),
    ...bars.flatMap(({ runtime, top, low, middle, high }) => {
      const line = `<path class="range" d="M${fixed(x(low))} ${top + BAR / 2}H${fixed(x(high))}"/>`;
      const size = `width="${fixed(x(middle) - left)}" height="${BAR}"`;
      const figure = Math.round(middle).toLocaleString("en");
      return [
        `<rect class="${runtime}" x="${left}" y="${top}" ${size}/>`,
        line,
        text(x(high) + 5, top + 10, figure),
      ];
    }),
    `<path class="axis" d="M${left} ${TOP - 6}V${TOP + ROWS.length * PITCH - 8}"/>`,
  ];
}

function speeds({ runs }: Row, { bytes }: Stream) {
  const all = runs.map(({ sec }) => bytes / 1e6 / sec);
  return { low: Math.min(...all), middle: median(all), high: Math.max(...all) };
}

function text(x: number, y: number, content: string, attributes = ""): string {
  return `<text x="${fixed(x)}" y="${fixed(y)}" ${attributes}>${content}</text>`;
}

function fixed(value: number): string {
  return String(Math.round(value * 10) / 10);
}
