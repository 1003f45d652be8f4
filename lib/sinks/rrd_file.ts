/**
 * What was logged, in an `.rrd` file that Rerun opens.
 *
 * @module
 */
import { loadFileAdapter } from "../adapters/detect.ts";
import type { FileAdapter } from "../adapters/types.ts";
import type { SmartMessage } from "../flow/smart_message.ts";
import { type Log, silentLog } from "../log.ts";
import { RrdFiles } from "./_rrd_files.ts";
import type { Sink, Tally } from "./sink.ts";

/** How a file sink writes. */
export interface RrdFileSinkOptions {
  /** Where the file goes; its folder must exist. */
  readonly path: string;
  /** Replaces a file that is there; without it that is refused. */
  readonly force?: boolean;
  /** Where files are made; those of this runtime if left out. */
  readonly files?: FileAdapter;
  /** Where other encodings, other versions and disk errors are reported. */
  readonly log?: Log;
}

/** One file that a sink writes, and what is in it. */
export interface SavedFile extends Tally {
  /** Where it is. */
  readonly path: string;
}

/** A sink that writes `.rrd` files. */
export interface RrdFileSink extends Sink {
  /** What no file took: after a disk error, or cut off by `close`. */
  readonly lost: Tally;
  /** The file, then its siblings. */
  readonly saved: readonly SavedFile[];
}

/**
 * Opens an `.rrd` file that takes every message as the SDK encoded it.
 *
 * Rerun's viewer reads one header a file. So the header is that of the first message; messages of
 * other SDK versions go under it as well (readers only warn of a version), while those of another
 * serializer or compression go into a sibling, `NAME.2.rrd` and so on. The end marker, which
 * readers before 0.19 fail on, is left out if all messages are of 0.18 or older. Nothing received:
 * an empty recording. When the disk fails, the file is cut to its last whole message and closed,
 * and what follows is counted as lost.
 *
 * @param options where and how
 * @throws {FileExists} if the file is there and `force` is not set
 * @throws whatever the runtime says if the file can't be created
 *
 * @example
 * ```ts
 * import { memoryFiles, rrdFileSink } from "@rerelay/server/sinks";
 * import { assertEquals } from "@std/assert";
 *
 * const files = memoryFiles(); // left out: the disk
 * const sink = await rrdFileSink({ path: "empty.rrd", files });
 * await sink.close();
 * assertEquals(files.read("empty.rrd")?.length, 12 + 8); // header and end marker
 * assertEquals(sink.saved, [{ path: "empty.rrd", messages: 0, bytes: 0 }]);
 * ```
 */
export async function rrdFileSink(options: RrdFileSinkOptions): Promise<RrdFileSink> {
  const { path, force = false, log = silentLog } = options;
  const adapter = options.files ?? await loadFileAdapter();
  const file = await adapter.create(path, force ? "replace" : "new");
  const files = new RrdFiles({ path, force, adapter, log }, file);
  let writing: Promise<void> = Promise.resolve();
  let closing: Promise<void> | undefined;

  async function writeBatch(batch: readonly SmartMessage[]): Promise<void> {
    for (const { payload } of batch) {
      if (payload.type !== "msg") continue;
      const { encoded } = payload.msg;
      if (closing !== undefined) {
        files.lose({ messages: 1, bytes: encoded.bytes.length });
        continue;
      }
      const written = files.add(encoded);
      // Most messages are only gathered: a wait for each would cost more than the copy.
      if (written !== undefined) await written;
    }
    await files.flush();
  }

  return {
    name: path,
    lost: files.lost,
    get saved() {
      return files.saved;
    },
    write(batch) {
      const next = () => writeBatch(batch);
      // Whoever called the failed write was told; this one is tried all the same.
      writing = writing.then(next, next);
      return writing;
    },
    close() {
      closing ??= (async () => {
        await Promise.allSettled([writing]);
        await files.close();
      })();
      return closing;
    },
  };
}
