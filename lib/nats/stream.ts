/**
 * The JetStream stream that holds what all boxes send: it is made if it does not exist, and never
 * changed if it does.
 *
 * @module
 */
import type { JetStreamManager, StreamInfo } from "@nats-io/jetstream";
import type { Log } from "../base/log.ts";
import { SUBJECT_PREFIX } from "./subjects.ts";
import { plural } from "../base/plural.ts";

/** The name of the stream. */
export const STREAM = "RERELAY";

const MS = 1_000_000;
const MAX_AGE_NS = 7 * 24 * 3600 * 1000 * MS;
const DUPLICATE_WINDOW_NS = 10 * 60 * 1000 * MS;

/**
 * JetStream's error codes for a stream that does not exist, and for a name that another stream has.
 */
const NOT_FOUND = 10059;
const NAME_IN_USE = 10058;

/** How the stream is made if it does not exist. */
export interface StreamOptions {
  /** Servers that hold a copy of each message: 1, 3 or 5. */
  readonly replicas: number;
  readonly log: Log;
}

/**
 * Makes sure that the stream exists.
 *
 * @throws {JetStreamApiError} if it can't be made, for example because there are too few servers
 * for its copies
 */
export async function ensureStream(
  manager: JetStreamManager,
  { replicas, log }: StreamOptions,
): Promise<StreamInfo> {
  const there = await streamInfo(manager);
  if (there !== undefined) {
    const { num_replicas: copies } = there.config;
    if (copies < replicas) {
      const text =
        `The stream ${STREAM} is there already, with ${copies} of each message and not ` +
        `${replicas} (--nats-replicas): it is left as it is`;
      log.write("warn", text, { stream: STREAM, replicas: copies, kind: "stream" });
    }
    return there;
  }
  try {
    const made = await manager.streams.add({
      name: STREAM,
      subjects: [`${SUBJECT_PREFIX}.*.*.*`],
      // Written as text, since the client's enumerations are loaded only together with the client.
      retention: "limits",
      storage: "file",
      discard: "new",
      max_age: MAX_AGE_NS,
      duplicate_window: DUPLICATE_WINDOW_NS,
      num_replicas: replicas,
    });
    const copies = replicas === 1
      ? "one copy of each message: a disk that breaks takes them with it (--nats-replicas 3)"
      : `${plural(replicas, "copy", "copies")} of each message`;
    log.write("info", `Made the stream ${STREAM} in NATS, with ${copies}`, {
      stream: STREAM,
      replicas,
    });
    return made;
  } catch (error) {
    // Another box has made it meanwhile.
    if (codeOf(error) !== NAME_IN_USE) throw error;
    return await manager.streams.info(STREAM);
  }
}

async function streamInfo(manager: JetStreamManager): Promise<StreamInfo | undefined> {
  try {
    return await manager.streams.info(STREAM);
  } catch (error) {
    if (codeOf(error) === NOT_FOUND) return undefined;
    throw error;
  }
}

/**
 * The stream is not there any more, or another one is in its place: somebody removed it, or the server
 * lost what it stored.
 */
export class StreamGone extends Error {
  override readonly name = "StreamGone";
}

/** Whether an error says that the stream does not exist. */
export function saysStreamGone(error: unknown): boolean {
  return error instanceof StreamGone || codeOf(error) === NOT_FOUND;
}

/** JetStream's code of an error. */
export function codeOf(error: unknown): number | undefined {
  const { code } = Object(error) as { code?: unknown };
  return typeof code === "number" ? code : undefined;
}
