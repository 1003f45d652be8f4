/**
 * Finds columns in the first record batch of a stream, of which only the beginning may be there.
 *
 * For callers that know from the schema which nodes and buffers to look at, see `column_slots.ts`.
 *
 * @module
 */
import { InvalidMessage } from "../../base/errors.ts";
import { u32 } from "../../base/little_endian.ts";
import type { FlatPairs } from "./_flatbuffers.ts";
import { DICTIONARY, readIpcMessage, RECORD_BATCH } from "./_ipc_message.ts";

/** Where the columns of the first record batch are. */
export interface BatchFront {
  readonly rows: number;
  /** Length and number of nulls of each column. */
  readonly nodes: FlatPairs;
  /** Where each buffer is in the data, and how long. */
  readonly buffers: FlatPairs;
  /** Where its data begins in the stream. */
  readonly bodyAt: number;
  readonly bodyBytes: number;
}

/** How many dictionaries are passed over; Rerun writes none. */
const MAX_DICTIONARIES = 100;

/** Where the metadata of a message ends that begins at `at`; `undefined` if too little is there. */
export function metadataEnd(ipc: Uint8Array, at: number): number | undefined {
  if (at + 8 > ipc.length) return undefined;
  const mark = u32(ipc, at);
  return mark === 0xffffffff ? at + 8 + u32(ipc, at + 4) : at + 4 + mark;
}

/**
 * Looks for the first record batch.
 *
 * @param ipc the beginning of an Arrow IPC stream, or all of it
 * @param at where the message behind the schema begins
 * @returns the places, or how many bytes of the stream must be there if too few are
 * @throws {InvalidMessage} if there is none, or its buffers are compressed one by one
 */
export function batchFront(ipc: Uint8Array, at: number): BatchFront | number {
  for (let messages = 0; messages <= MAX_DICTIONARIES; messages++) {
    const end = metadataEnd(ipc, at) ?? at + 8;
    if (end > ipc.length) return end;
    const { kind, header, bodyAt, bodyBytes } = readIpcMessage(ipc, at);
    if (kind === RECORD_BATCH) {
      if (header.table(3) !== undefined) throw new InvalidMessage("Arrow buffers are compressed");
      const [nodes, buffers] = [header.pairs(1), header.pairs(2)];
      return { rows: header.length(0), nodes, buffers, bodyAt, bodyBytes };
    }
    if (kind !== DICTIONARY) break;
    at = bodyAt + bodyBytes;
  }
  throw new InvalidMessage("An Arrow IPC stream has no data");
}
