/**
 * A message on its way into a file.
 *
 * @module
 */
import { decodeMessage, readMessageHeader } from "../../encoding/rrd/rrd_message.ts";
import { fileLimits, NO_LIMITS } from "../../encoding/limits.ts";
import type { RrdHeader } from "../../encoding/rrd_header.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import { withEqualLengths } from "../../encoding/rrd/rrd_message.ts";
import type { Introduced } from "../../stores/introduction.ts";
import type { Store, StoreMemory } from "../../stores/store_memory.ts";
import type { Kept } from "../../stores/kept.ts";

/** What files are told of a message. */
export interface Entry extends Introduced {
  readonly bytes: Uint8Array;
  /** Whether a file that has nothing else is worth keeping. */
  readonly isData: boolean;
  /** Of a blueprint: as it is kept for later files. */
  readonly kept?: Kept | undefined;
}

/**
 * What files are told of a message.
 *
 * @param msg any message
 * @param encoded its encoded form
 * @param store whose it is
 */
export function entryOf(
  msg: LogMsg,
  { header, bytes }: Kept,
  store: Store | undefined,
): Entry {
  const announces = msg.kind === "SetStoreInfo";
  return {
    header,
    bytes: withEqualLengths(header, bytes),
    store,
    announces,
    // Asked of the first messages of a file alone.
    get isData() {
      return !announces && store?.id.kind !== "Blueprint" && !isProperties(msg);
    },
  };
}

/** Whether it tells of its recording, as today's SDKs do by themselves when a program begins. */
function isProperties(msg: LogMsg): boolean {
  return msg.kind === "ArrowMsg" && /^\/__properties(\/|$)/.test(msg.entityPath ?? "");
}

/**
 * What files are told of a message that was on its way into one.
 *
 * @param header it stands under
 * @param bytes with its own header
 * @param memory knows whose it is
 */
export function takenEntry(
  header: RrdHeader,
  bytes: Uint8Array,
  memory: StoreMemory,
): Entry {
  try {
    const message = readMessageHeader(header, bytes, 0, Infinity);
    const msg = decodeMessage(header, message, bytes, 0, fileLimits(NO_LIMITS));
    return entryOf(msg, { header, bytes }, memory.storeOf(msg));
  } catch {
    // As it was taken: files keep what is not understood.
    return { header, bytes, store: undefined, announces: false, isData: true };
  }
}
