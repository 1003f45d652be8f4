/**
 * The live line on a terminal, as a pure function of the figures.
 *
 * @module
 */
import type { Tally } from "../../base/tally.ts";
import type { ForwardStats } from "../../forward/counts.ts";
import type { FromNatsStats } from "../../server/from_nats.ts";
import type { Rates } from "./rates.ts";
import { formatBytes, formatCount, formatDuration } from "../terminal/units.ts";

/** What the line shows, a part of `server.stats`. */
export interface StatusFigures {
  readonly connections: { readonly open: number };
  readonly messages: number;
  readonly bytes: number;
  /** The share of the frames that is accepted, 0.01 to 1, of the client with the lowest one. */
  readonly acceptRate?: number;
  /** The targets of `--forward`. */
  readonly forwarding?: readonly Pick<
    ForwardStats,
    "lagBytes" | "lagSec" | "lastAckMs" | "outageSec" | "dropped" | "refused"
  >[];
  /** What is received by NATS. */
  readonly nats?: Pick<FromNatsStats, "boxes" | "live" | "ageSec" | "outageSec">;
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
  const { forwarding = [], nats } = stats;
  const notForwarded = forwarding.reduce(
    (sum, { dropped, refused }) => sum + dropped.messages + refused.messages,
    0,
  );
  const down = forwarding.filter(({ outageSec }) => outageSec > 0)
    .toSorted((a, b) => b.outageSec - a.outageSec)[0];
  const alarms = [
    ...(acceptRate < 1 ? [`accepting ${(acceptRate * 100).toFixed(0)} %`] : []),
    ...(dropped > 0 ? [`dropped ${formatCount(dropped)}`] : []),
    ...(lostMessages > 0 ? [`LOST ${formatCount(lostMessages)}`] : []),
    ...(down === undefined ? [] : [downText(down)]),
    ...(nats !== undefined && nats.outageSec > 0
      ? [`NATS down ${formatDuration(nats.outageSec)}`]
      : []),
    ...(notForwarded > 0 ? [`not forwarded ${formatCount(notForwarded)}`] : []),
  ];
  const clients = stats.connections.open;
  const parts = [
    `${formatCount(clients)} ${clients === 1 ? "client " : "clients"}`,
    `${formatCount(rates.messagesPerSec)} msg/s`,
    `${megabytes(rates.bytesPerSec)} MB/s`,
    `total ${formatCount(stats.messages)} msg, ${formatBytes(stats.bytes)}`,
    `latency ${formatDuration(latencySec)}`,
    ...(forwarding.length === 0 ? [] : [forwardPart(forwarding)]),
    ...(nats === undefined ? [] : [
      `${formatCount(nats.live)} of ${formatCount(nats.boxes)} boxes live, ` +
      `${formatDuration(nats.ageSec)} behind`,
    ]),
    ...(alarms.length === 0 ? ["dropped 0"] : []),
  ];
  const width = () => [...parts, ...alarms].join(SEPARATOR).length;
  // A line of the full width would wrap on some terminals, and could then not be redrawn.
  while (parts.length > 0 && width() >= columns) parts.pop();
  const shown = alarms.map((text) => color ? `\x1b[33m${text}\x1b[0m` : text);
  return [...parts, ...shown].join(SEPARATOR);
}

/** A text of how long a target has taken nothing, and when it last did. */
function downText({ outageSec, lastAckMs }: NonNullable<StatusFigures["forwarding"]>[0]): string {
  const acked = lastAckMs === undefined
    ? "nothing acknowledged yet"
    : `last acknowledged ${new Date(lastAckMs).toISOString().slice(11, 19)}Z`;
  return `forward down ${formatDuration(outageSec)}, ${acked}`;
}

/** A text of how far the targets are behind: of the one that is farthest. */
function forwardPart(forwarding: NonNullable<StatusFigures["forwarding"]>): string {
  const bytes = Math.max(...forwarding.map(({ lagBytes }) => lagBytes));
  const seconds = Math.max(...forwarding.map(({ lagSec }) => lagSec));
  return `forward ${formatBytes(bytes)}, ${formatDuration(seconds)} behind`;
}

const SEPARATOR = " | ";

function megabytes(bytesPerSec: number): string {
  const value = bytesPerSec / 1e6;
  return value < 99.95 ? value.toFixed(1) : formatCount(value);
}
