/** Figures of the receive benchmark as text. */
import type { Row } from "./receive.ts";
import type { Stream } from "./streams.ts";

const WIDTHS = [28, 8, 16, 11, 9, 9, 7, 9, 10];

/** The middle one; of an even number the larger of the two. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? NaN;
}

/** Megabytes a second, as the median of a row. */
export function speed({ runs }: Row, { bytes }: Stream): number {
  return bytes / 1e6 / median(runs.map(({ sec }) => sec));
}

/** How many times faster a row is than another of the same clients; `undefined` without such a row. */
export function ratio(
  row: Row,
  rows: readonly Row[],
  to: { readonly runtime: string; readonly what: string },
): number | undefined {
  const other = rows.find(({ subject }) =>
    subject.runtime === to.runtime && subject.what === to.what &&
    subject.clients === row.subject.clients
  );
  if (other === undefined) return undefined;
  const sec = ({ runs }: Row) => median(runs.map((run) => run.sec));
  return sec(other) / sec(row);
}

/** All rows of one stream. */
export function table(stream: Stream, rows: readonly Row[]): string {
  const rounds = rows[0]?.runs.length ?? 0;
  const megabytes = (stream.bytes / 1e6).toFixed(0);
  return [
    `${stream.name}: ${megabytes} MB, ${stream.messages} messages, median of ${rounds}`,
    line([
      "",
      "MB/s",
      "min–max",
      "messages/s",
      "/control",
      "/server",
      "/peer",
      "CPU s",
      "peak RSS",
    ]),
    ...rows.map((row) => line(cells(row, stream, rows))),
    "",
  ].join("\n");
}

function cells(row: Row, stream: Stream, rows: readonly Row[]): string[] {
  const { subject: { runtime, what, clients }, runs } = row;
  const speeds = runs.map(({ sec }) => stream.bytes / 1e6 / sec);
  const of = (field: "cpuSec" | "peakKiB") => median(runs.map((run) => run[field]));
  const fixed = (value: number | undefined, digits: number, unit = "") =>
    value === undefined || Number.isNaN(value) ? "" : value.toFixed(digits) + unit;
  return [
    `${runtime} ${what}${clients > 1 ? `, ${clients} clients` : ""}`,
    speed(row, stream).toFixed(0),
    `${Math.min(...speeds).toFixed(0)}–${Math.max(...speeds).toFixed(0)}`,
    (stream.messages / median(runs.map(({ sec }) => sec))).toFixed(0),
    fixed(ratio(row, rows, { runtime, what: "control" }), 2),
    fixed(what === "server" ? undefined : ratio(row, rows, { runtime, what: "server" }), 2),
    fixed(ratio(row, rows, { runtime: "peer", what: "server" }), 2),
    fixed(of("cpuSec"), 2),
    fixed(of("peakKiB") / 1024, 0, " MiB"),
  ];
}

function line(texts: readonly string[]): string {
  return texts.map((text, i) => i === 0 ? text.padEnd(WIDTHS[i]!) : text.padStart(WIDTHS[i]!))
    .join("");
}
