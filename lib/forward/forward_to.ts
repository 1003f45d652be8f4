/**
 * Forwarding: recordings that a file sink writes are sent on to a target.
 *
 * @module
 */
import {
  checkCallable,
  checkGiven,
  checkOptions,
  hasMethods,
  type OptionNames,
} from "../base/check_arguments.ts";
import {
  checkChoice,
  checkCount,
  checkObject,
  checkPositive,
  checkText,
} from "../base/check_options.ts";
import { xxh32 } from "../encoding/rrd/xxh32.ts";
import type { FileFollower, FollowedFiles } from "../sinks/file/parts/follower.ts";
import type { ForwardStats } from "./counts.ts";
import { Cursor } from "./cursor.ts";
import { FileForwarder } from "./file_forwarder.ts";
import type { ForwarderOptions } from "./delivery.ts";
import { Forwarder } from "./forwarder.ts";
import type { ForwardTarget } from "./target.ts";

/** A follower that sends recordings to a target. */
export interface ForwardFollower extends FileFollower {
  /** Counts and state of the target; zeros before the file sink is open. */
  readonly stats: ForwardStats;
}

const NAMES: OptionNames<ForwarderOptions> = {
  ...{ maxBytesPerSec: true, maxHeldBytes: true, collectGarbage: true, random: true, date: true },
};

/**
 * Follows the name of the pattern in the name of a cursor's file; a name of the target and `.jsonl`
 * follow.
 */
export const CURSOR_INFIX = ".forward-";

/**
 * Sends what a file sink writes to a target, reading from the files: what can't be sent now waits
 * on the disk, also over restarts, and programs that log never wait for the target.
 *
 * How far the target has acknowledged each file stands in `PATTERN.forward-….jsonl` beside the
 * recordings. Every message arrives at least once, and those of a recording arrive in order.
 *
 * @param target where to send
 * @param options limits
 * @returns a follower, to be passed to `rrdFileSink` in `followers`
 * @throws {TypeError} if there is no target, or no such option
 * @throws {RangeError} if an option is out of its range
 *
 * @example
 * ```ts
 * import { forwardTo, type MessageTarget } from "@rerelay/server/forward";
 * import { memoryFiles, rrdFileSink } from "@rerelay/server/sinks";
 * import { assertEquals } from "@std/assert";
 *
 * const taken: string[] = [];
 * const target: MessageTarget = {
 *   kind: "messages",
 *   name: "example",
 *   limits: { maxBytes: 1_000_000, maxWaitMs: 100, maxUnderWay: 4 },
 *   send: (batch) => Promise.resolve(void taken.push(batch.messages[0]!.recording)),
 *   close: () => Promise.resolve(),
 * };
 * const forwarder = forwardTo(target);
 * const path = "rec/{recording_id}-{part}.rrd";
 * const sink = await rrdFileSink({ path, files: memoryFiles(), followers: [forwarder] });
 * await sink.close(); // here: after server.batches() were written to it
 * assertEquals(taken, []);
 * assertEquals(forwarder.stats.lagBytes, 0);
 * ```
 */
export function forwardTo(target: ForwardTarget, options: ForwarderOptions = {}): ForwardFollower {
  const isTarget = hasMethods(target, "send", "close") || hasMethods(target, "sendFile", "close");
  checkGiven("forwardTo", "a target, such as grpcTarget() gives", isTarget, target);
  checkTarget(target);
  checkOptions("forwardTo", options, NAMES);
  for (const name of ["maxBytesPerSec", "maxHeldBytes"] as const) {
    if (options[name] !== undefined) checkPositive(name, options[name]);
  }
  checkCallable(options, ["random", "date", "collectGarbage"]);
  let isTaken = false;
  let forwarder: Forwarder | FileForwarder | undefined;
  return {
    name: target.name,
    get stats() {
      return forwarder?.stats ?? nothing(target.name);
    },
    async open(files) {
      if (isTaken) {
        throw new TypeError("A forwarder follows one file sink: make another by forwardTo()");
      }
      isTaken = true;
      const path = cursorPath(files, target.name);
      const { adapter, log, now, journal } = files;
      const cursor = await Cursor.open({ path, adapter, log, now, target: target.name })
        .catch((error) => {
          isTaken = false; // it follows nothing, and may be tried again
          throw error;
        });
      if (cursor.target !== target.name) {
        // What another target has acknowledged would be missing at this one.
        const text =
          `${path} is the cursor of ${cursor.target}, and not of ${target.name}: all that is ` +
          "here is sent again";
        log.write("error", text, { path, target: target.name, kind: "cursor" });
        cursor.beginAnew();
      }
      cursor.begin();
      forwarder = target.kind === "messages"
        ? new Forwarder(target, files, cursor, options)
        : new FileForwarder(target, files, cursor, options);
      journal.join(forwarder);
    },
    async close(signal) {
      await forwarder?.close(signal);
    },
  };
}

/** Refuses limits of a target with which nothing would ever be sent. */
function checkTarget(target: ForwardTarget): void {
  checkText("name of the target", target.name);
  checkChoice("kind of the target", target.kind, ["messages", "files"]);
  if (target.kind === "files") return checkCount("maxUnderWay", target.maxUnderWay);
  const { limits } = target;
  checkObject("limits", limits ?? null, "{ maxBytes: 1e6, maxWaitMs: 200, maxUnderWay: 8 }");
  const { maxBytes, maxRecordingBytes = maxBytes } = limits;
  checkPositive("limits.maxBytes", maxBytes);
  checkPositive("limits.maxRecordingBytes", maxRecordingBytes);
  checkCount("limits.maxUnderWay", limits.maxUnderWay);
  if (limits.maxWaitMs >= 0 && limits.maxWaitMs < Infinity) return;
  throw new RangeError(`limits.maxWaitMs must be milliseconds, 0 or more, not ${limits.maxWaitMs}`);
}

/**
 * The path of a target's cursor.
 *
 * @param files the folder and the pattern's name
 * @param target the name of the target, without secrets
 */
export function cursorPath(
  { folder, name }: Pick<FollowedFiles, "folder" | "name">,
  target: string,
): string {
  const words = target.toLowerCase().replaceAll(/[^a-z0-9.]+/g, "-").replaceAll(/^-|-$/g, "");
  const hash = xxh32(new TextEncoder().encode(target), 0).toString(16).padStart(8, "0");
  return `${folder}${name}${CURSOR_INFIX}${words.slice(0, 40)}-${hash}.jsonl`;
}

function nothing(target: string): ForwardStats {
  const none = { messages: 0, bytes: 0 };
  return {
    ...{ target, sent: none, refused: none, dropped: none, lagBytes: 0, lagSec: 0 },
    ...{ outageSec: 0, isStopped: false },
  };
}
