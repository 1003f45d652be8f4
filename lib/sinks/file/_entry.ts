/**
 * A message on its way into a file.
 *
 * @module
 */
import { decodeMessage, readMessageHeader } from "../../encoding/rrd/rrd_message.ts";
import { fileLimits, NO_LIMITS } from "../../encoding/limits.ts";
import type { RrdHeader } from "../../encoding/rrd_header.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import { lengthOf, partsOf, SplitEncoded } from "../../encoding/split_encoded.ts";
import { withEqualLengths } from "../../encoding/rrd/rrd_message.ts";
import type { Introduced } from "../../stores/introduction.ts";
import type { Store, StoreMemory } from "../../stores/store_memory.ts";
import type { Kept } from "../../stores/kept.ts";

/** A message as files take it. */
export interface Entry extends Introduced {
  readonly bytes: Uint8Array;
  /** The message in one or two parts; large data stays where it is. */
  readonly parts: readonly Uint8Array[];
  /** Length in bytes. */
  readonly length: number;
  /** Whether a file that has nothing else is worth keeping. */
  readonly isData: boolean;
  /** The message as it is kept for later files, if it is of a blueprint. */
  readonly kept?: Kept | undefined;
}

/**
 * Makes an entry of a message.
 *
 * @param msg any message
 * @param encoded its encoded form
 * @param store the store that it belongs to
 */
export function entryOf(
  msg: LogMsg,
  encoded: Kept,
  store: Store | undefined,
): Entry {
  const announces = msg.kind === "SetStoreInfo";
  const { header } = encoded;
  const whole = encoded instanceof SplitEncoded
    ? undefined
    : withEqualLengths(header, encoded.bytes);
  return {
    header,
    get bytes() {
      return whole ?? encoded.bytes;
    },
    parts: whole === undefined ? partsOf(encoded) : [whole],
    length: whole?.length ?? lengthOf(encoded),
    store,
    announces,
    // A getter, for it is asked only of the first messages of a file.
    get isData() {
      return !announces && store?.id.kind !== "Blueprint" && !isProperties(msg);
    },
  };
}

/**
 * A copy of a message, which then need not stay as it is until its file is there, and its entry.
 *
 * @param msg any message
 * @param store the store that it belongs to
 */
export function copied({ encoded }: LogMsg, store: Store | undefined): [LogMsg, Entry] {
  const { header } = encoded;
  const bytes = encoded.bytes.slice();
  const head = readMessageHeader(header, bytes, 0, Infinity);
  const msg = decodeMessage(header, head, bytes, 0, fileLimits(NO_LIMITS));
  return [msg, entryOf(msg, { header, bytes }, store)];
}

/**
 * Whether it is about the recording itself, as SDKs of today send by themselves when a program
 * begins.
 */
function isProperties(msg: LogMsg): boolean {
  return msg.kind === "ArrowMsg" && /^\/__properties(\/|$)/.test(msg.entityPath ?? "");
}

/**
 * Makes an entry of a message that another file did not take.
 *
 * @param header the header that it came under
 * @param bytes with its own header
 * @param memory knows the store that it belongs to
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
    // Kept as it is: files hold what is not understood, too.
    const { length } = bytes;
    const parts = [bytes];
    return { header, bytes, parts, length, store: undefined, announces: false, isData: true };
  }
}
