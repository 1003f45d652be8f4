/**
 * The messages that an Arrow IPC stream consists of.
 *
 * @module
 */
import { InvalidMessage } from "../../base/errors.ts";
import { u32 } from "../../base/little_endian.ts";
import { FlatTable } from "./_flatbuffers.ts";
import { plural } from "../../base/plural.ts";

/** Kinds of messages, as Arrow numbers them. */
export const SCHEMA = 1;
export const DICTIONARY = 2;
export const RECORD_BATCH = 3;

/** One message of an Arrow IPC stream. */
export interface IpcMessage {
  /** {@linkcode SCHEMA}, {@linkcode DICTIONARY}, {@linkcode RECORD_BATCH}, or what Rerun never sends. */
  readonly kind: number;
  /** Metadata version: 0 is Arrow's V1, 4 its V5. */
  readonly version: number;
  /** The table for its kind: schema, batch or dictionary. */
  readonly header: FlatTable;
  /** Where its data begins, in bytes. */
  readonly bodyAt: number;
  /** How long its data claims to be, in bytes. */
  readonly bodyBytes: number;
  /** The whole message table, which includes the header. */
  readonly message: FlatTable;
}

/** Where the metadata of a message is in an Arrow IPC stream. */
export interface MetadataPlace {
  readonly start: number;
  readonly end: number;
}

/**
 * Where the metadata of the message at `at` stands.
 *
 * @param ipc an Arrow IPC stream
 * @param at in bytes
 * @throws {InvalidMessage} if it is not all there, or the stream ends at `at`
 */
export function findMetadata(ipc: Uint8Array, at: number): MetadataPlace {
  // Before Arrow 0.15 there was no mark before the length.
  const start = at + (lengthAt(ipc, at) === 0xffffffff ? 8 : 4);
  const bytes = lengthAt(ipc, start - 4);
  if (bytes === 0) throw new InvalidMessage(`The Arrow IPC stream ends at byte ${at}`);
  const end = start + bytes;
  if (end > ipc.length) {
    throw new InvalidMessage(
      `The Arrow IPC stream declares ${plural(bytes, "byte")} of metadata, ${
        ipc.length - start
      } are there`,
    );
  }
  return { start, end };
}

/**
 * Reads the message at `at`, without checking its data.
 *
 * @param ipc an Arrow IPC stream
 * @param at in bytes
 * @param reads as long as its metadata: takes note of what each byte of that is read as
 * @throws {InvalidMessage} if it is damaged, or the stream ends there
 */
export function readIpcMessage(ipc: Uint8Array, at: number, reads?: Uint8Array): IpcMessage {
  const { start, end } = findMetadata(ipc, at);
  const message = FlatTable.root(ipc.subarray(start, end), reads);
  const header = message.table(2);
  if (header === undefined) throw new InvalidMessage("An Arrow IPC message has no header");
  return {
    kind: message.u8(1),
    version: message.i16(0),
    header,
    bodyAt: end,
    bodyBytes: message.length(3),
    message,
  };
}

/** The length at a place; 0 if the stream is too short. */
function lengthAt(ipc: Uint8Array, at: number): number {
  return at + 4 > ipc.length ? 0 : u32(ipc, at);
}

/** Refuses big endian, which nobody writes: read as little endian it would give wrong times. */
export function checkEndianness(schema: FlatTable): void {
  if (schema.i16(0) !== 0) throw new InvalidMessage("The Arrow IPC stream is big endian");
}

/** Whether the end marker stands at `at`. */
export function isEndOfStream(ipc: Uint8Array, at: number): boolean {
  return at + 8 <= ipc.length && u32(ipc, at) === 0xffffffff && u32(ipc, at + 4) === 0;
}
