/** Figures of what viewers get as text. */
import { median } from "./figures.ts";
import type { Got, Run } from "./viewers_runs.ts";
import type { Server } from "./viewers_servers.ts";

/** All runs of one server. */
export interface Row {
  readonly server: Server;
  readonly runs: Run[];
}

/** Those who were there before the first message, or those who came after the last. */
type When = "live" | "late";

const HEAD = [
  "",
  "slowest, MB/s",
  "fastest, MB/s",
  "together, GB/s",
  "/rerun",
  "/control",
  "/before",
  "CPU s/GB",
  "peak RSS",
];
const WIDTHS = [14, 17, 19, 19, 18, 19, 19, 10, 10];

/**
 * One line a server; ratios are of the slowest viewers in the same round.
 *
 * @param rows of all servers, run in turn
 * @param when which viewers
 */
export function viewersTable(rows: readonly Row[], when: When): string {
  const lines = rows.filter(({ runs }) => runs[0]?.[when] !== undefined)
    .map((row) => cells(row, rows, when));
  return [HEAD, ...lines].map((line) =>
    line.map((text, i) => i === 0 ? text.padEnd(WIDTHS[i]!) : text.padStart(WIDTHS[i]!)).join("")
  ).join("\n");
}

function cells(row: Row, rows: readonly Row[], when: When): string[] {
  const { server, runs } = row;
  const all = runs.flatMap((run) => run[when] ?? []);
  const total = ({ bytes, secs }: Got) => bytes * secs.length / 1e9;
  const control = `${server} control`;
  return [
    server,
    spread(all.map(slowest), 0),
    spread(all.map(({ bytes, secs }) => bytes / 1e6 / Math.min(...secs)), 0),
    spread(all.map((got) => total(got) / Math.max(...got.secs)), 2),
    spread(ratios(all, rows.find((other) => other.server === "rerun"), when), 2),
    // The control has no history: who comes late is sent the same by it.
    spread(ratios(all, rows.find((other) => other.server === control), "live"), 2),
    spread(ratios(all, rows.find((other) => other.server === `${server} before`), when), 2),
    median(all.map((got) => got.cpuSec / total(got))).toFixed(2),
    `${(median(runs.map(({ peakKiB }) => peakKiB)) / 1024).toFixed(0)} MiB`,
  ];
}

/** Megabytes a second of the one that had all last. */
function slowest({ bytes, secs }: Got): number {
  return bytes / 1e6 / Math.max(...secs);
}

function ratios(all: readonly Got[], other: Row | undefined, when: When): number[] {
  return all.flatMap((got, round) => {
    const to = other?.runs[round]?.[when];
    return to === undefined ? [] : [slowest(got) / slowest(to)];
  });
}

function spread(values: readonly number[], digits: number): string {
  if (values.length === 0) return "";
  const [middle, least, most] = [median(values), Math.min(...values), Math.max(...values)]
    .map((value) => value.toFixed(digits));
  return `${middle} (${least}–${most})`;
}
