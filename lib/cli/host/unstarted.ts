/**
 * A start that a signal ends: nobody waits for a named pipe that nobody reads, nor for a slow disk.
 *
 * @module
 */
import { type Clock, SYSTEM_CLOCK } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import type { Server } from "../../server/server.ts";
import { EXIT } from "../exit_codes.ts";
import { formatBytes, plural } from "../terminal/units.ts";
import type { LiveViewers } from "./viewers.ts";

/** A start that is nearly done may finish, so that all is closed as usual. */
const GRACE_MS = 300;

/** Closing may take so long. */
const CLOSE_MS = 500;

/** Before a pipe is spoken of. */
const TELL_MS = 1000;

/** What a start has opened so far. */
export interface Opened {
  server?: Pick<Server, "close" | "stats">;
  viewers?: LiveViewers;
}

/**
 * Waits for a start, but no longer than a moment after the wish to end.
 *
 * @param starting what is waited for; once it was given up, it may fail as it likes
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
 * Leaves what is open, and says what is lost.
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
 * Says after a moment what a start waits for.
 *
 * @param path a pipe or device
 * @param log told
 * @returns calls that off
 */
export function tellWait(path: string, log: Log): () => void {
  const text = `Waiting for ${path} to open: a named pipe does once somebody reads it`;
  return SYSTEM_CLOCK.timer(TELL_MS, () => log.write("info", text, { path }));
}
