/**
 * Gives the bytes of a file to a viewer, as fast as it takes them.
 *
 * @module
 */
import { SYSTEM_CLOCK } from "../../base/clock.ts";
import type { ReadableFile } from "../../adapters/files/types.ts";
import { Bridge, isBridgeable } from "../../bridge/mod.ts";
import { withChunkId } from "../../encoding/protobuf/with_chunk_id.ts";
import { decodeRrdHeader, RRD_HEADER_BYTES, type RrdHeader } from "../../encoding/rrd_header.ts";
import { RrdConcat } from "../../encoding/rrd/rrd_concat.ts";
import { RrdScanner } from "../../encoding/rrd/scanner.ts";
import type { RrdPart } from "../../encoding/rrd/part.ts";
import { gathered } from "../serve/gathered.ts";
import type { StallWatch } from "../serve/stall_watch.ts";
import type { ByteRange } from "./_byte_range.ts";
import type { Download, DownloadEnd } from "./downloads.ts";

/** Bytes that are read and sent at once. */
const PIECE_BYTES = 256 * 1024;
/** Bytes that are searched at once behind damage, which takes about 10 ms. */
const SEARCH_BYTES = 512 * 1024;
/**
 * How many times the usual deadline counts here: a page stands still while Rerun's viewer starts.
 */
const PATIENCE = 6;

/** The header of a recording; `undefined` if it has none that is known. */
export async function headerOf(file: ReadableFile): Promise<RrdHeader | undefined> {
  const head = new Uint8Array(RRD_HEADER_BYTES);
  if (await file.readAt(0, head) < head.length) return undefined;
  try {
    return decodeRrdHeader(head);
  } catch {
    return undefined; // no viewer of Rerun shows it, and it is given as it is
  }
}

/** Whether a file is given today's form by {@linkcode currentPieces}. */
export async function isOfOldForm(file: ReadableFile): Promise<boolean> {
  const header = await headerOf(file);
  return header !== undefined && isBridgeable(header);
}

/** Gives the bytes of a part of a file, unchanged. */
export async function* rawPieces(
  file: ReadableFile,
  { start, end }: ByteRange,
): AsyncGenerator<Uint8Array, undefined> {
  for (let at = start; at < end;) {
    const piece = new Uint8Array(Math.min(PIECE_BYTES, end - at));
    const length = await file.readAt(at, piece);
    // An error, so that nobody takes the part for whole.
    if (length === 0) throw new Error(`the file was cut at byte ${at} while it was read`);
    at += length;
    yield piece.subarray(0, length);
  }
}

/**
 * Gives the messages of a file of SDK 0.17 to 0.22 in today's form, over all damage.
 *
 * @param file what is read
 * @param bytes how much of it is read
 */
export async function* currentPieces(
  file: ReadableFile,
  bytes: number,
): AsyncGenerator<Uint8Array, undefined> {
  const scanner = new RrdScanner({ recover: true, sizeBytes: bytes, searchBytes: SEARCH_BYTES });
  const bridge = new Bridge({ reusesMemory: false });
  const concat = new RrdConcat();
  const bridged = function* (parts: readonly RrdPart[]) {
    for (const part of parts) {
      if (part.kind !== "message") continue;
      for (const msg of bridge.messages(part.msg)) yield* concat.message(withChunkId(msg).encoded);
    }
  };
  for await (const piece of rawPieces(file, { start: 0, end: bytes })) {
    yield* gathered(bridged(scanner.push(piece).items), PIECE_BYTES);
    while (scanner.isSearching) {
      await SYSTEM_CLOCK.delay(0);
      yield* gathered(bridged(scanner.push(new Uint8Array(0)).items), PIECE_BYTES);
    }
  }
  yield* gathered(bridged(scanner.finish().items), PIECE_BYTES);
  yield* concat.end();
}

/**
 * Makes a body of pieces, which are read as they are taken; a viewer that takes nothing for too
 * long is cut off.
 *
 * @param pieces what is sent
 * @param stalls watches it
 * @param download counts it
 * @param done called once, when no more is read
 */
export function bodyOf(
  pieces: AsyncGenerator<Uint8Array, undefined>,
  stalls: StallWatch,
  download: Download,
  done: () => void,
): ReadableStream<Uint8Array> {
  let isOver = false;
  let unwatch = () => {};
  let reading: Promise<unknown> = Promise.resolve();
  let cut = () => {};
  // It waits from the start: a viewer that never asks for the first piece holds the file open, too.
  const transfer = {
    patience: PATIENCE,
    addr: download.addr,
    waits: true,
    taken: 0,
    cut: () => cut(),
  };
  const end = (how: DownloadEnd, error?: unknown) => {
    if (isOver) return;
    isOver = true;
    unwatch();
    download.end(how, error);
    // The file is closed only after a read that is under way.
    void reading.catch(() => {}).then(() => pieces.return(undefined)).finally(done);
  };
  return new ReadableStream<Uint8Array>({
    start(controller) {
      cut = () => {
        controller.error(new Error("this viewer took nothing for too long"));
        end("stalled");
      };
      unwatch = stalls.add(transfer);
    },
    async pull(controller) {
      transfer.waits = false;
      transfer.taken++;
      try {
        const next = pieces.next();
        reading = next;
        const { done, value } = await next;
        if (isOver) return;
        transfer.waits = true;
        if (!done) {
          download.gave(value.length);
          return controller.enqueue(value);
        }
        controller.close();
      } catch (error) {
        end("failed", error);
        throw error;
      }
      end("whole");
    },
    cancel: () => end("left"),
  }, { highWaterMark: 0 });
}
