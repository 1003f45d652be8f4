/**
 * Options of the file sink, and what it offers.
 *
 * @module
 */
import type { FileMark } from "./file_mark.ts";
import type { Clock } from "../../base/clock.ts";
import type { Shelf } from "../../recordings/shelf.ts";
import type { FileAdapter } from "../../adapters/files/types.ts";
import type { BridgeCounts } from "../../bridge/mod.ts";
import type { ProcessAdapter } from "../../adapters/process/types.ts";
import type { SmartMessage } from "../../flow/channel/smart_message.ts";
import type { Log } from "../../base/log.ts";
import type { FileFollower } from "./parts/follower.ts";
import type { SavedFile } from "./saved_files.ts";
import type { Keep } from "./parts/part_list.ts";
import type { Rotation } from "./rotation.ts";
import type { Sink } from "../sink.ts";
import type { Tally } from "../../base/tally.ts";
import type { SyncMode } from "./writer/syncer.ts";

/** How a file sink writes. */
export interface RrdFileSinkOptions {
  /**
   * Where files go; folders that are missing are made. With `{recording_id}` in the name each recording has its
   * own; the others are `{application_id}`, `{box}` of what came through NATS, `{date}`, `{time}` (UTC) and `{part}`.
   */
  readonly path: string;
  /** Replaces an existing file, if the path has no braces; default false, which refuses to. */
  readonly force?: boolean;
  /** Files to write to; default those of this runtime. */
  readonly files?: FileAdapter;
  /**
   * Tells whether another program saves under the same name, which is then refused; default that of
   * this runtime if `files` is left out, else nobody looks.
   */
  readonly processes?: ProcessAdapter;
  /** Where log lines go, about other encodings, other versions and disk errors; default nowhere. */
  readonly log?: Log;
  /**
   * When the disk must have what was written: within 500 ms of the write (`"interval"`, the
   * default), before each batch counts as written (`"always"`), or when the system likes (`"never"`).
   */
  readonly sync?: SyncMode;
  /** When a recording goes on in another file. */
  readonly rotation?: Rotation;
  /** How much is kept of what this path's pattern made, in earlier runs as well; all by default. */
  readonly keep?: Keep;
  /** Stores msgpack messages LZ4-compressed; default `"off"`: the bytes as they came. */
  readonly compress?: "off" | "lz4";
  /**
   * `"current"` gives what SDK 0.17 to 0.22 logged the form that Rerun 0.23 and later open; default
   * `"as-sent"`: the bytes as they came. What has no such form is written as it came.
   */
  readonly rrdFormat?: "as-sent" | "current";
  /**
   * Ends files of SDK 0.24 and later, and with `rrdFormat: "current"` of 0.17 and later, with a list of
   * their chunks, so that Rerun's tools take them and read what is looked at; what can't be listed before
   * the end of `close`, the next start does; default false.
   */
  readonly chunkIndex?: boolean;
  /**
   * Followers that read from the files what was written, such as that of `forwardTo`; the path must
   * make several files. `keep` waits for them until there is twice as much.
   */
  readonly followers?: readonly FileFollower[];
  /** Whether viewers are to see the files: `shelf` lists them, at most 50,000; default false. */
  readonly shelved?: boolean;
  /** Called with the error of each file that had to be given up. */
  readonly onError?: (error: unknown) => void;
  /** Monotonic milliseconds; default `performance.now`. */
  readonly now?: Clock["now"];
  /** Milliseconds since the Unix epoch; default `Date.now`. */
  readonly date?: Clock["date"];
  /** Calls back after so many milliseconds, once, and returns what calls that off. */
  readonly timer?: Clock["timer"];
  /** Makes an id that no other file ever has; default `crypto.randomUUID`. */
  readonly newId?: () => string;
}

/** A sink that writes `.rrd` files. */
export interface RrdFileSink extends Sink {
  /** What no file took, after a disk error or because `close` cut it off. */
  readonly lost: Tally;
  /** Whether a file had to be given up. */
  readonly failed: boolean;
  /** What all files hold. */
  readonly kept: Tally;
  /** Counts of messages that were given today's form, if `rrdFormat` asks for it. */
  readonly bridge: BridgeCounts | undefined;
  /** The last 100 files that were closed, then those open. */
  readonly saved: readonly SavedFile[];
  /**
   * The files of this path's pattern for viewers, of earlier runs as well, if `shelved` asks for
   * it.
   */
  readonly shelf: Shelf | undefined;
  /**
   * Tells when what comes from now on is on the disk, for `confirm` of `serve`: the function that
   * it returns resolves once all that was written since is on the disk, and rejects if some of it
   * was lost.
   */
  confirm(): () => Promise<void>;
  /**
   * Resolves when all that an earlier run left is recovered, or logged as not recovered; what
   * `close` cuts off is done at the next start.
   */
  readonly recovered: Promise<void>;
  /**
   * Resolves when the files of earlier runs have the list of their chunks that they were to get, or
   * the log says why not.
   */
  readonly indexed: Promise<void>;
  /**
   * Lets another program save under the pattern while this one still writes; resolves to `false` if
   * that is not possible.
   */
  handOver(): Promise<boolean>;
  /**
   * Puts all that was written so far on the disk; resolves with how far the open files go then.
   *
   * @param onMarked called once that is known, before anything more is written
   *
   * @internal
   */
  mark(onMarked?: () => void): Promise<readonly FileMark[]>;
  /** This sink as a stream of batches, such as `server.readable` gives; its end closes the sink. */
  readonly writable: WritableStream<readonly SmartMessage[]>;
}
