/**
 * From the signal to the end: what SDKs are still sending is read and written, within limits.
 *
 * @module
 */
import { type Clock, SYSTEM_CLOCK } from "../../base/clock.ts";
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

/** Those that had sent more before than could be read in that time are read so much longer. */
const BACKLOG_MS = 20_000;

/** Then what was received must be written; whoever asked for the end waits about 2 s before killing. */
const CUT_MS = 1800;

/** After a drain nobody waits to kill: files get so long to be closed, if no signal comes. */
const UNHURRIED_MS = 60_000;

/** Whether there is still something to read is looked at so often. */
const LOOK_MS = 20;

/** A write that still runs at the cut gets so long to reach a whole message. */
const CUT_GRACE_MS = 150;

/** What has to be finished. */
export interface FinishOptions {
  readonly server: Pick<Server, "close" | "isDraining"> & { readonly stats: StatusFigures };
  readonly receiver: FanOut;
  /** Resolves when the receiver has received all. */
  readonly receiving: Promise<void>;
  /** Where messages are kept, if anywhere. */
  readonly file: Pick<RrdFileSink, "kept"> | undefined;
  /** What the receiver has taken. */
  readonly received: Tally;
  readonly log: Log;
  /** Resolves when somebody waits for the end; if left out, that is so from the start. */
  readonly hurried?: Promise<unknown>;
  /** Resolves after so many milliseconds. */
  readonly delay?: Clock["delay"];
}

/**
 * Stops accepting, drains the sockets, writes out and closes the sinks; cuts at 1.8 s, or 0.8 s after the
 * last was read of what had been sent before. Where nobody waits for the end, the 1.8 s begin when
 * somebody does, or after a minute.
 *
 * @returns whether all was written; else the log says how much is lost
 */
export async function finish(options: FinishOptions): Promise<boolean> {
  const { server, receiver, receiving, hurried, delay = SYSTEM_CLOCK.delay } = options;
  const closed = server.close({ drainMs: DRAIN_MS, quietMs: QUIET_MS, backlogMs: BACKLOG_MS });
  let after = `Cut off after ${CUT_MS / 1000} s`;
  const cut = (async () => {
    if (hurried !== undefined) {
      const minute = delay(UNHURRIED_MS).then(() => {
        after = `Cut off after ${(UNHURRIED_MS + CUT_MS) / 1000} s`;
      });
      await Promise.race([hurried, minute]);
    }
    await delay(CUT_MS);
    if (!server.isDraining) return false;
    after = `Cut off ${(CUT_MS - DRAIN_MS) / 1000} s after the last was read`;
    while (server.isDraining) await delay(LOOK_MS);
    await delay(CUT_MS - DRAIN_MS);
    return false;
  })();
  const finished = closed.then(() => receiving).then(() => receiver.close()).then(() => true);
  if (await Promise.race([finished, cut])) return true;

  await Promise.race([receiver.close(), delay(CUT_GRACE_MS)]);
  sayLost(options, after);
  return false;
}

/** What came in, of which nothing that was dropped on purpose is counted, less what was kept. */
function sayLost(
  { server: { stats }, file, received, log }: FinishOptions,
  after: string,
): void {
  const kept = file?.kept ?? received;
  const messages = stats.messages - kept.messages;
  const bytes = stats.bytes - kept.bytes;
  const text = messages > 0
    ? `${after}: ${plural(messages, "message")} (${formatBytes(bytes)}) that had come in are lost`
    : `${after}, before everything was closed; no message that had come in is lost`;
  log.write("error", text, { messages, bytes });
}
