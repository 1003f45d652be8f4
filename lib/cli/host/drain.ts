/**
 * `SIGUSR2`: another server takes over, and this one stays for the clients that it has.
 *
 * @module
 */
import { type Clock, SYSTEM_CLOCK } from "../../base/clock.ts";
import { formatAddr } from "../../base/net_addr.ts";
import { reason } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { sourceText } from "../../flow/channel/smart_message.ts";
import type { Server } from "../../server/server.ts";
import type { RrdFileSink } from "../../sinks/file/rrd_file.ts";
import { plural } from "../../base/plural.ts";
import { durationText } from "../terminal/units.ts";

/** How many clients are named when they are cut; the others are only counted. */
const MAX_NAMED = 10;

/** What is drained. */
export interface DrainOptions {
  readonly server: Pick<Server, "retire" | "stats" | "addr">;
  /** The file sink, whose name the successor takes over if that is possible. */
  readonly file: Pick<RrdFileSink, "handOver" | "name"> | undefined;
  /** Stops listening for viewers; those that are connected stay. */
  readonly leaveViewers: () => void;
  /** How long clients may stay, in seconds. */
  readonly limitSec: number;
  /** Aborts when nobody waits for clients any more: a signal to end came. */
  readonly stopped: AbortSignal;
  readonly log: Log;
  /** Calls back after so many milliseconds, and returns what calls that off. */
  readonly timer?: Clock["timer"];
}

/**
 * Gives up name and ports, and waits until the clients have left or the time is over.
 *
 * The file's name goes first, so that a server that finds the port free finds the name free as
 * well.
 */
export async function drain(options: DrainOptions): Promise<void> {
  const { server, file, leaveViewers, limitSec, stopped, log, timer = SYSTEM_CLOCK.timer } =
    options;
  const until = new AbortController();
  const give = () => until.abort();
  stopped.addEventListener("abort", give);
  if (stopped.aborted) return;
  await giveName(file, log);
  leaveViewers();
  const callOff = Number.isFinite(limitSec) ? timer(limitSec * 1000, give) : () => {};
  const drained = server.retire(until.signal);
  const { open } = server.stats.connections;
  const time = Number.isFinite(limitSec)
    ? `${durationText(limitSec)} at most`
    : "as long as it takes";
  log.write(
    "info",
    `Draining (SIGUSR2): ${formatAddr(server.addr)} is free for the next server; ` +
      `${plural(open, "client")} may go on, ${time}`,
    { clients: open },
  );
  await drained;
  callOff();
  stopped.removeEventListener("abort", give);
  if (!stopped.aborted) tellCut(options);
}

async function giveName(file: DrainOptions["file"], log: Log): Promise<void> {
  if (file === undefined) return;
  try {
    if (await file.handOver()) return;
    const text =
      `${file.name} stays locked until this server has ended: a next one needs another ` +
      "--save, or one with {part}, {date} or {time}";
    log.write("warn", text, { path: file.name });
  } catch (error) {
    const text = `The lock of ${file.name} could not be given up, so the next server can't save ` +
      `there before this one has ended: ${reason(error)}`;
    log.write("error", text, { path: file.name });
  }
}

/** Logs which clients were cut: SDKs with gRPC do not connect again by themselves. */
function tellCut({ server, limitSec, log }: DrainOptions): void {
  const sources = server.stats.clients.map(({ source }) => source);
  if (sources.length === 0) return;
  const named = (clients: typeof sources) => {
    const shown = clients.slice(0, MAX_NAMED).map(sourceText).join(", ");
    return clients.length > MAX_NAMED ? `${shown} and ${clients.length - MAX_NAMED} more` : shown;
  };
  const after = `Drained for ${durationText(limitSec)} (--drain)`;
  const calls = sources.filter((source) => sourceText(source).startsWith("grpc:"));
  const others = sources.filter((source) => !calls.includes(source));
  if (calls.length > 0) {
    const text = `${after}: cutting ${plural(calls.length, "gRPC call")} (${named(calls)}). SDKs ` +
      "0.23 and later do not connect again: what these programs log from now on is lost until " +
      "they are started again";
    log.write("warn", text, { clients: calls.length, kind: "drain cut" });
  }
  if (others.length > 0) {
    const text = `${after}: closing ${plural(others.length, "connection")} (${named(others)}). ` +
      "SDKs 0.9 to 0.22 connect again by themselves; what they had handed to the network and was " +
      "not read is lost";
    log.write("warn", text, { clients: others.length, kind: "drain cut" });
  }
}
