/**
 * The messages that an Arrow IPC stream consists of.
 *
 * @module
 */
import { InvalidMessage } from "../errors.ts";
import { FlatTable } from "./_flatbuffers.ts";

/** Kinds of messages, as Arrow numbers them. */
export const SCHEMA = 1;
export const DICTIONARY = 2;
export const RECORD_BATCH = 3;

/** One message of an Arrow IPC stream. */
export interface IpcMessage {
  /** {@linkcode SCHEMA}, {@linkcode DICTIONARY}, {@linkcode RECORD_BATCH}, or what Rerun never sends. */
  readonly kind: number;
  /** Of the metadata: 0 is Arrow's V1, 4 its V5. */
  readonly version: number;
  /** What describes it, by its kind. */
  readonly header: FlatTable;
  /** Where its data begins, in bytes. */
  readonly bodyAt: number;
  /** How long its data claims to be, in bytes. */
  readonly bodyBytes: number;
}

/**
 * The message at `at`, its data not checked.
 *
 * @param ipc an Arrow IPC stream
 * @param at in bytes
 * @throws {InvalidMessage} if it is damaged, or the stream ends there
 */
export function readIpcMessage(ipc: Uint8Array, at: number): IpcMessage {
  const view = new DataView(ipc.buffer, ipc.byteOffset, ipc.byteLength);
  const u32 = (at: number) => at + 4 > ipc.length ? 0 : view.getUint32(at, true);
  // Before Arrow 0.15 the mark was not there.
  const metadataAt = at + (u32(at) === 0xffffffff ? 8 : 4);
  const metadataBytes = u32(metadataAt - 4);
  if (metadataBytes === 0) throw new InvalidMessage(`The Arrow IPC stream ends at byte ${at}`);
  const bodyAt = metadataAt + metadataBytes;
  if (bodyAt > ipc.length) {
    throw new InvalidMessage(
      `The Arrow IPC stream declares ${metadataBytes} bytes of metadata, ${
        ipc.length - metadataAt
      } are there`,
    );
  }
  const message = FlatTable.root(ipc.subarray(metadataAt, bodyAt));
  const header = message.table(2);
  if (header === undefined) throw new InvalidMessage("An Arrow IPC message has no header");
  return {
    kind: message.u8(1),
    version: message.i16(0),
    header,
    bodyAt,
    bodyBytes: message.length(3),
  };
}

/** Whether the end marker stands at `at`. */
export function isEndOfStream(ipc: Uint8Array, at: number): boolean {
  if (at + 8 > ipc.length) return false;
  for (let i = 0; i < 4; i++) if (ipc[at + i] !== 0xff || ipc[at + 4 + i] !== 0) return false;
  return true;
}
