/**
 * Messages of a recording as a stream.
 *
 * @module
 */
import { checkGiven, checkOptions, checkReading, hasMethods } from "../base/check_arguments.ts";
import { checkText } from "../base/check_options.ts";
import { decodeLimits } from "../encoding/limits.ts";
import { loadFileAdapter } from "../adapters/load.ts";
import type { FileAdapter } from "../adapters/files/types.ts";
import type { RrdMessage, RrdPart } from "../encoding/rrd/part.ts";
import { RrdReport } from "./report.ts";
import { Announced } from "../encoding/announced.ts";
import { RrdScanner, type RrdScannerOptions, SCANNER_NAMES } from "../encoding/rrd/scanner.ts";

/** A recording being read. */
export interface RrdReader {
  /**
   * Its messages, each with its place in the file; as they came, Arrow data not decoded.
   *
   * Reads no further than its reader asks, and a read chunk ahead at most. Errors with
   * {@linkcode RrdDamage} at the first damage, behind all messages before it, unless it recovers.
   */
  readonly messages: ReadableStream<RrdMessage>;
  /** What was read so far, and what is lost. */
  readonly report: RrdReport;
}

/** Options of {@linkcode openRrd}. */
export interface OpenRrdOptions extends RrdScannerOptions {
  /** Files to read from; default those of this runtime. */
  readonly adapter?: FileAdapter;
}

/**
 * Opens a `.rrd` file.
 *
 * @param path where it is
 * @param options whether to read over damage, and limits
 * @throws {RangeError} if a limit is not above 0, or the path is no text
 * @throws {TypeError} if there is no such option
 * @throws {Error} what the runtime throws where a file can't be opened; its `code` is `ENOENT` if it is missing
 *
 * @example
 * ```ts
 * import { memoryFiles } from "@rerelay/server/adapters";
 * import { openRrd } from "@rerelay/server/rrd";
 * import { assertEquals } from "@std/assert";
 *
 * const adapter = memoryFiles(); // left out: the disk, by the runtime it runs on
 * const file = await adapter.create("recording.rrd", "new");
 * await file.write(Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 22, 1, 0, 0, 1, 0, 0));
 *
 * const { messages, report } = await openRrd("recording.rrd", { adapter });
 * for await (const { msg, offset } of messages) console.log(msg.kind, "at byte", offset);
 * assertEquals([report.messages, report.lostBytes], [0, 0]);
 * ```
 */
export async function openRrd(
  path: string,
  options: OpenRrdOptions = {},
): Promise<RrdReader> {
  checkText("path", path);
  checkOptions("openRrd", options, { ...SCANNER_NAMES, adapter: true });
  const { adapter, ...how } = options;
  checkReading(how);
  decodeLimits(how);
  return readRrd(await (adapter ?? await loadFileAdapter()).open(path), how);
}

/**
 * Reads a recording from wherever its bytes come.
 *
 * @param source the bytes, in any pieces; they must not be written to any more
 * @param options whether to read over damage, and limits
 *
 * @example
 * ```ts
 * import { readRrd } from "@rerelay/server/rrd";
 * import { assertEquals } from "@std/assert";
 *
 * const header = Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 22, 1, 0, 0, 1, 0, 0);
 * const torn = new Blob([header, Uint8Array.of(9, 0, 0, 0, 9, 0, 0, 0, 0x81)]);
 * const { messages, report } = readRrd(torn.stream(), { recover: true });
 * for await (const { msg, offset } of messages) console.log(msg.kind, "at byte", offset);
 * assertEquals([report.messages, report.lostBytes, report.listed[0]!.offset], [0, 9, 12]);
 * ```
 */
export function readRrd(
  source: ReadableStream<Uint8Array>,
  options: RrdScannerOptions = {},
): RrdReader {
  checkGiven("readRrd", "a ReadableStream of bytes", hasMethods(source, "getReader"), source);
  checkOptions("readRrd", options, SCANNER_NAMES);
  const report = new RrdReport();
  const scanner = new RrdScanner(options);
  const announced = new Announced();
  const reader = source.getReader();
  let waiting: IterableIterator<RrdPart> = [].values();
  let failure: Error | undefined;
  let isOver = false;
  const more = async () => {
    const { done, value } = await reader.read();
    const { items, error } = done ? scanner.finish() : scanner.push(value);
    [waiting, failure, isOver] = [items.values(), error, done || error !== undefined];
  };
  const messages = new ReadableStream<RrdMessage>({
    async pull(controller) {
      while (true) {
        // Goes on with the parts that were not given out yet.
        for (const part of waiting) {
          report.add(part);
          if (part.kind !== "message") continue;
          announced.tell([part.msg]);
          return controller.enqueue(part);
        }
        if (isOver) break;
        await more();
      }
      if (failure === undefined) return controller.close();
      controller.error(failure);
      await reader.cancel(failure);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
  return { messages, report };
}
