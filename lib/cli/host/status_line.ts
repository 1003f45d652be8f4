/**
 * The live line on a terminal, as a pure function of the figures.
 *
 * @module
 */
import type { Tally } from "../../base/tally.ts";
import type { Rates } from "./rates.ts";
import { formatBytes, formatCount, formatDuration } from "../terminal/units.ts";

/** What the line shows, a part of `server.stats`. */
export interface StatusFigures {
  readonly connections: { readonly open: number };
  readonly messages: number;
  readonly bytes: number;
  /** The lowest share of its frames that is accepted of a client, 0.01 to 1. */
  readonly acceptRate?: number;
  readonly dropped?: {
    readonly throttled: Tally;
    readonly overflow: Tally;
  };
}

/**
 * One line, not wider than the terminal: parts that do not fit are left out from the right, but
 * dropped and lost messages always show.
 *
 * @param stats totals
 * @param rates speeds
 * @param latencySec seconds
 * @param lostMessages messages that a sink could not keep
 * @param columns width of the terminal in characters
 * @param color whether to mark losses in yellow
 */
export function statusLine(
  stats: StatusFigures,
  rates: Rates,
  latencySec: number,
  lostMessages: number,
  columns: number,
  color: boolean,
): string {
  const dropped = (stats.dropped?.throttled.messages ?? 0) +
    (stats.dropped?.overflow.messages ?? 0);
  const { acceptRate = 1 } = stats;
  const alarms = [
    ...(acceptRate < 1 ? [`accepting ${(acceptRate * 100).toFixed(0)} %`] : []),
    ...(dropped > 0 ? [`dropped ${formatCount(dropped)}`] : []),
    ...(lostMessages > 0 ? [`LOST ${formatCount(lostMessages)}`] : []),
  ];
  const clients = stats.connections.open;
  const parts = [
    `${formatCount(clients)} ${clients === 1 ? "client " : "clients"}`,
    `${formatCount(rates.messagesPerSec)} msg/s`,
    `${megabytes(rates.bytesPerSec)} MB/s`,
    `total ${formatCount(stats.messages)} msg, ${formatBytes(stats.bytes)}`,
    `latency ${formatDuration(latencySec)}`,
    ...(alarms.length === 0 ? ["dropped 0"] : []),
  ];
  const width = () => [...parts, ...alarms].join(SEPARATOR).length;
  // A line of the full width would wrap on some terminals, and could then not be redrawn.
  while (parts.length > 0 && width() >= columns) parts.pop();
  const shown = alarms.map((text) => color ? `\x1b[33m${text}\x1b[0m` : text);
  return [...parts, ...shown].join(SEPARATOR);
}

const SEPARATOR = " | ";

function megabytes(bytesPerSec: number): string {
  const value = bytesPerSec / 1e6;
  return value < 99.95 ? value.toFixed(1) : formatCount(value);
}
