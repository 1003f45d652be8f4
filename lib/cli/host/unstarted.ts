/**
 * Ends a start at a signal, although it still waits for a named pipe that nobody reads or for a
 * slow disk.
 *
 * @module
 */
import { type Clock, SYSTEM_CLOCK } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { Server } from "../../server/server.ts";
import { EXIT } from "../exit_codes.ts";
import { plural } from "../../base/plural.ts";
import { formatBytes } from "../terminal/units.ts";
import type { LiveViewers } from "./viewers.ts";

/**
 * How long a start may still take after the signal, in milliseconds, so that one that is nearly
 * done is closed as usual.
 */
const GRACE_MS = 300;

/** How long closing may take, in milliseconds. */
const CLOSE_MS = 500;

/** After how long of waiting for a pipe it is told, in milliseconds. */
const TELL_MS = 1000;

/** What a start has opened so far. */
export interface Opened {
  server?: Pick<Server, "close" | "stats">;
  viewers?: LiveViewers;
}

/**
 * Waits for a start, but only a moment longer once the signal came.
 *
 * @param starting the start; after it was given up its errors are ignored
 * @param stopped resolves at the signal
 * @param delay resolves after so many milliseconds
 * @returns what was started; `undefined` if the signal was first
 */
export async function unlessStopped<T>(
  starting: Promise<T>,
  stopped: Promise<unknown>,
  delay: Clock["delay"] = SYSTEM_CLOCK.delay,
): Promise<T | undefined> {
  starting.catch(() => {});
  return await Promise.race([starting, stopped.then(() => delay(GRACE_MS)).then(() => undefined)]);
}

/**
 * Closes what is open, and logs what is lost.
 *
 * @param opened so far
 * @param path what was still being opened
 * @param log told
 * @returns the exit code
 */
export async function leaveUnstarted(
  { server, viewers }: Opened,
  path: string | undefined,
  log: Log,
): Promise<number> {
  const closed = Promise.all([server?.close(), viewers?.close()]);
  await Promise.race([closed, SYSTEM_CLOCK.delay(CLOSE_MS)]);
  const { messages = 0, bytes = 0 } = server?.stats ?? {};
  const before = `Stopped before ${path ?? "everything"} was open`;
  if (messages === 0) {
    log.write("info", before, { messages, bytes });
    return EXIT.ok;
  }
  const text = `${before}: ${plural(messages, "message")} (${formatBytes(bytes)}) ` +
    "that had come in are lost";
  log.write("error", text, { messages, bytes });
  return EXIT.failed;
}

/**
 * Logs after a moment what a start waits for.
 *
 * @param path a pipe or device
 * @param log told
 * @returns a function that calls this off
 */
export function tellWait(path: string, log: Log): () => void {
  const text = `Waiting for ${path} to open: a named pipe does once somebody reads it`;
  return SYSTEM_CLOCK.timer(TELL_MS, () => log.write("info", text, { path }));
}
