/**
 * From the signal to the end: what SDKs are still sending is read and written, within limits.
 *
 * @module
 */
import type { Log } from "../../base/log.ts";
import type { Server } from "../../server/server.ts";
import type { FanOut } from "../../sinks/fan_out.ts";
import type { RrdFileSink } from "../../sinks/file/sink_options.ts";
import type { Tally } from "../../base/tally.ts";
import type { StatusFigures } from "./status_line.ts";
import { formatBytes, plural } from "../terminal/units.ts";

/** Open sockets are read until no bytes came for so long, */
const QUIET_MS = 100;

/** but no longer than this. */
const DRAIN_MS = 1000;

/** Then what was received must be written; whoever asked for the end waits about 2 s before killing. */
const CUT_MS = 1800;

/** A write that still runs at the cut gets so long to reach a whole message. */
const CUT_GRACE_MS = 150;

/** What has to be finished. */
export interface FinishOptions {
  readonly server: Pick<Server, "close"> & { readonly stats: StatusFigures };
  readonly receiver: FanOut;
  /** Resolves when the receiver has received all. */
  readonly receiving: Promise<void>;
  /** Where messages are kept, if anywhere. */
  readonly file: Pick<RrdFileSink, "kept"> | undefined;
  /** What the receiver has taken. */
  readonly received: Tally;
  readonly log: Log;
  /** Resolves after so many milliseconds. */
  readonly delay?: (ms: number) => Promise<void>;
}

/**
 * Stops accepting, drains the sockets, writes out and closes the sinks; at 1.8 s cuts.
 *
 * @returns whether all was written; else the log says how much is lost
 */
export async function finish(options: FinishOptions): Promise<boolean> {
  const { server, receiver, receiving, delay = wait } = options;
  const cut = delay(CUT_MS).then(() => false);
  const closed = server.close({ drainMs: DRAIN_MS, quietMs: QUIET_MS });
  const finished = closed.then(() => receiving).then(() => receiver.close()).then(() => true);
  if (await Promise.race([finished, cut])) return true;

  await Promise.race([receiver.close(), delay(CUT_GRACE_MS)]);
  sayLost(options);
  return false;
}

/** What came in, of which nothing that was dropped on purpose is counted, less what was kept. */
function sayLost({ server: { stats }, file, received, log }: FinishOptions): void {
  const kept = file?.kept ?? received;
  const messages = stats.messages - kept.messages;
  const bytes = stats.bytes - kept.bytes;
  const after = `Cut off after ${CUT_MS / 1000} s`;
  const text = messages > 0
    ? `${after}: ${plural(messages, "message")} (${formatBytes(bytes)}) that had come in are lost`
    : `${after}, before everything was closed; no message that had come in is lost`;
  log.write("error", text, { messages, bytes });
}

function wait(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
