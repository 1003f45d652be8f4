/**
 * The stream that holds what all boxes send: made where it is missing, never changed where it is there.
 *
 * @module
 */
import type { JetStreamManager, StreamInfo } from "@nats-io/jetstream";
import type { Log } from "../base/log.ts";
import { SUBJECT_PREFIX } from "./subjects.ts";

/** Its name. */
export const STREAM = "RERELAY";

const MS = 1_000_000;
const MAX_AGE_NS = 7 * 24 * 3600 * 1000 * MS;
const DUPLICATE_WINDOW_NS = 10 * 60 * 1000 * MS;

/** JetStream's number for a stream that is not there, and for one that is there as another. */
const NOT_FOUND = 10059;
const NAME_IN_USE = 10058;

/** How the stream is made where it is missing. */
export interface StreamOptions {
  /** Servers that hold a copy of each message: 1, 3 or 5. */
  readonly replicas: number;
  readonly log: Log;
}

/**
 * Looks for the stream, and makes it where it is missing.
 *
 * @throws {JetStreamApiError} if it can't be made, such as for want of servers for its copies
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
      // Values of the client's enumerations, which are loaded with it alone.
      retention: "limits",
      storage: "file",
      discard: "new",
      max_age: MAX_AGE_NS,
      duplicate_window: DUPLICATE_WINDOW_NS,
      num_replicas: replicas,
    });
    const copies = replicas === 1
      ? "one copy of each message: a disk that breaks takes them with it (--nats-replicas 3)"
      : `${replicas} copies of each message`;
    log.write("info", `Made the stream ${STREAM} in NATS, with ${copies}`, {
      stream: STREAM,
      replicas,
    });
    return made;
  } catch (error) {
    // Another box was quicker.
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

/** JetStream's number of what went wrong. */
export function codeOf(error: unknown): number | undefined {
  const { code } = Object(error) as { code?: unknown };
  return typeof code === "number" ? code : undefined;
}
