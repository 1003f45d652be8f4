/**
 * From the signal to the end of the program: reads and writes what SDKs still send, within time
 * limits.
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
import { plural } from "../../base/plural.ts";
import { formatBytes } from "../terminal/units.ts";

/** Open sockets are read until no bytes came for so long, in milliseconds. */
const QUIET_MS = 100;

/** Open sockets are read for no longer than this, in milliseconds, even if bytes still come. */
const DRAIN_MS = 1000;

/**
 * Clients that had sent more than could be read in that time are read on for so long, in
 * milliseconds.
 */
const BACKLOG_MS = 20_000;

/**
 * Until then, in milliseconds, what was received must be written: whoever sent the signal kills
 * after about 2 s.
 */
const CUT_MS = 1800;

/**
 * After a drain nobody is about to kill the program: closing files may take so long, in
 * milliseconds, unless a signal comes.
 */
const UNHURRIED_MS = 60_000;

/** How often it is looked whether there is still something to read, in milliseconds. */
const LOOK_MS = 20;

/** How long a write that still runs at the cut may take to finish its message, in milliseconds. */
const CUT_GRACE_MS = 150;

/** Options of {@linkcode finish}. */
export interface FinishOptions {
  readonly server: Pick<Server, "close" | "isDraining"> & { readonly stats: StatusFigures };
  readonly receiver: FanOut;
  /** Resolves when the receiver has taken all. */
  readonly receiving: Promise<void>;
  /** Where messages are kept, if anywhere. */
  readonly file: Pick<RrdFileSink, "kept"> | undefined;
  /** What the receiver has taken. */
  readonly received: Tally;
  readonly log: Log;
  /** Resolves when somebody waits for the end; left out if somebody does from the start. */
  readonly hurried?: Promise<unknown>;
  /** Resolves after so many milliseconds. */
  readonly delay?: Clock["delay"];
}

/**
 * Stops accepting, drains the sockets, writes everything out and closes the sinks. Cuts that after
 * 1.8 s, or 0.8 s after the last of what had been sent before was read. If nobody waits for the
 * end, the 1.8 s begin when somebody does, or after a minute.
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

/** Logs how much is lost: what came in, without what was dropped on purpose, less what was kept. */
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
