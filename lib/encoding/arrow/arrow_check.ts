/**
 * Checks whether Arrow data can be given to a viewer, since corrupt data ends native Rerun viewers,
 * and whether it is whole, as far as that can be told without checksums.
 *
 * @module
 */
import { checkBytes, checkOptions } from "../../base/check_arguments.ts";
import { InvalidMessage } from "../../base/errors.ts";
import { UnknownArrowType } from "./_arrow_types.ts";
import { checkFrame } from "./_arrow_frame.ts";
import { isEndOfStream, readIpcMessage } from "./_ipc_message.ts";
import { KnownFrames } from "./_known_frames.ts";
import type { ArrowMsg } from "../arrow_msg.ts";
import { checkArrowMsg } from "../check_arrow_msg.ts";
import { plural } from "../../base/plural.ts";

const KNOWN = new KnownFrames();

/** How closely Arrow data is looked at. */
export interface CheckArrowOptions {
  /**
   * Whether to look at the values that readers go by: each offset, text, count of nulls, index, and
   * type of a union's row; default false.
   */
  readonly values?: boolean;
}

/**
 * Looks at the frame of a chunk's Arrow data, without decoding its columns: one schema and one record
 * batch, every offset and every buffer inside the message, and as long as the columns' types need.
 *
 * Values are not looked at, but for the first and last offset of a column, unless that is asked for.
 *
 * @param msg any chunk
 * @param options whether to look at values, too
 * @returns what is wrong; `undefined` if nothing is
 *
 * @example
 * ```ts
 * import { ArrowMsg, checkArrow, decodeRrdHeader } from "@rerelay/server/encoding";
 * import { assertEquals } from "@std/assert";
 *
 * // A server or a file gives such messages; this one is made by hand, of no Arrow data.
 * const bytes = new Uint8Array(8);
 * const head = Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 22, 1, 0, 0, 2, 0, 0);
 * const encoded = { header: decodeRrdHeader(head), bytes };
 * const arrow = { bytes, compression: "off", uncompressedSize: 8 } as const;
 * const storeId = { kind: "Recording", id: "by hand" } as const;
 * const msg = new ArrowMsg(storeId, undefined, [], undefined, arrow, encoded);
 * assertEquals(typeof checkArrow(msg), "string"); // what is wrong with it
 * ```
 */
export function checkArrow(msg: ArrowMsg, options: CheckArrowOptions = {}): string | undefined {
  checkArrowMsg("checkArrow", msg);
  checkOptions("checkArrow", options, { values: true });
  return whatIsWrong(() => checkFrame(msg.ipc(), KNOWN, options.values));
}

/**
 * As {@linkcode checkArrow}, of an Arrow IPC stream.
 *
 * @param ipc not compressed
 * @param options whether to look at values, too
 * @returns what is wrong; `undefined` if nothing is
 *
 * @example
 * ```ts
 * import { checkArrowIpc } from "@rerelay/server/encoding";
 * import { assertEquals } from "@std/assert";
 * import { tableFromArrays, tableToIPC } from "apache-arrow";
 *
 * const ipc = tableToIPC(tableFromArrays({ frame: BigInt64Array.of(1n, 2n) }), "stream");
 * assertEquals(checkArrowIpc(ipc), undefined);
 * assertEquals(checkArrowIpc(ipc.subarray(0, 40)) === undefined, false);
 * ```
 */
export function checkArrowIpc(
  ipc: Uint8Array,
  options: CheckArrowOptions = {},
): string | undefined {
  checkBytes("checkArrowIpc", ipc);
  checkOptions("checkArrowIpc", options, { values: true });
  return whatIsWrong(() => checkFrame(ipc, KNOWN, options.values));
}

/** Of compressed chunks from so many bytes to so many, inflated, new memory would cost most of a check. */
const [MIN_KEPT_BYTES, MAX_KEPT_BYTES] = [256 * 1024, 4 * 1024 * 1024];

/** Checks one chunk after the other as `checkArrow` does, compressed ones in the same memory. */
export class ArrowChecks {
  readonly #onMemory: (more: number) => void;
  readonly #maxKeptBytes: number;
  #memory = new Uint8Array(0);

  /**
   * @param onMemory told by how many bytes the memory has grown that is kept
   * @param maxKeptBytes of that memory
   */
  constructor(onMemory: (more: number) => void, maxKeptBytes: number = MAX_KEPT_BYTES) {
    this.#onMemory = onMemory;
    this.#maxKeptBytes = Math.min(maxKeptBytes, MAX_KEPT_BYTES);
  }

  /** Whether a viewer can be given a chunk. */
  isSound(msg: ArrowMsg): boolean {
    return whatIsWrong(() => {
      const ipc = msg.ipc(this.#memory);
      checkFrame(ipc, KNOWN);
      // Kept for the next ones only after a sound one: what a block says of its size may be a lie.
      const { length } = ipc;
      const isInflated = ipc.buffer !== msg.arrow.bytes.buffer;
      if (!isInflated || length <= this.#memory.length) return;
      if (length < MIN_KEPT_BYTES || length > this.#maxKeptBytes) return;
      this.#onMemory(ipc.buffer.byteLength - this.#memory.length);
      this.#memory = new Uint8Array(ipc.buffer as ArrayBuffer);
    }) === undefined;
  }
}

function whatIsWrong(check: () => void): string | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof InvalidMessage) return error.message;
    throw error;
  }
}

/**
 * Checks all that a reader relies on: frame, lengths, offsets, texts. Of unknown types only the
 * frame is checked, since later versions of Rerun may write them.
 *
 * @param ipc the stream, not compressed
 * @throws {InvalidMessage} if it is damaged
 */
export function checkArrowWhole(ipc: Uint8Array): void {
  checkArrowEnd(ipc);
  try {
    checkFrame(ipc, KNOWN, true);
  } catch (error) {
    if (!(error instanceof UnknownArrowType)) throw error;
  }
}

/**
 * Checks that an Arrow IPC stream ends with its end marker, or with its last message.
 *
 * @param ipc the stream, not compressed
 * @throws {InvalidMessage} if it does not end there
 */
function checkArrowEnd(ipc: Uint8Array): void {
  let at = 0;
  while (at < ipc.length) {
    if (at > 0 && isEndOfStream(ipc, at)) {
      if (at + 8 === ipc.length) return;
      throw new InvalidMessage(
        `An Arrow IPC stream ends ${plural(ipc.length - at - 8, "byte")} too early`,
      );
    }
    const { bodyAt, bodyBytes } = readIpcMessage(ipc, at);
    at = bodyAt + bodyBytes;
  }
  if (at !== ipc.length) throw new InvalidMessage("An Arrow IPC stream is cut short");
}
