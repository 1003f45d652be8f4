/**
 * Reads the envelope (protobuf fields) of a chunk of whose data only the beginning was read.
 *
 * @module
 */
import { InvalidMessage } from "../base/errors.ts";

const CUT = "The message around a chunk is cut short";
const FOREIGN = "The message around a chunk is not as SDKs write it";

/** A protobuf message in a file, or the parts of it that were read. */
export interface MessagePart {
  /** Length of the whole message, in bytes. */
  readonly length: number;
  /** Its first bytes, or all of them. */
  readonly front: Uint8Array;
  /** Its last bytes, if they are not in `front`, and the place in the message where they begin. */
  readonly tail?: { readonly at: number; readonly bytes: Uint8Array };
}

/** Says that more of a message must be read: so many bytes of its front, or all behind a place. */
export class MoreOfMessage {
  constructor(readonly part: "front" | "tail", readonly bytes: number) {}
}

/** The fields of an `ArrowMsg` that an index needs, and where its data begins. */
export interface Envelope {
  readonly storeId: Uint8Array;
  readonly compression: "off" | "lz4";
  readonly uncompressedSize: number;
  /** The id of the chunk: 16 bytes, big endian. */
  readonly chunkId: Uint8Array | undefined;
  /** Where the Arrow data begins in the message. */
  readonly arrowAt: number;
  readonly arrowBytes: number;
}

const VARINT = 0;
const BYTES = 2;
const COMPRESSIONS = ["off", "off", "lz4"] as const;
/** Most bytes of a message behind its data. */
const MOST_TAIL_BYTES = 4096;

/**
 * Reads an envelope.
 *
 * @param part an `ArrowMsg` of Rerun 0.23 or later, or parts of it
 * @throws {InvalidMessage} if it is damaged, or not as an SDK writes it
 */
export function readEnvelope(part: MessagePart): Envelope | MoreOfMessage {
  const { length, front, tail } = part;
  const found: Found = {};
  const behind = readFields(front, 0, length, 0, found);
  if (behind < length) {
    if (found.arrowAt === undefined || length - behind > MOST_TAIL_BYTES) {
      throw new InvalidMessage(
        "The message around a chunk is cut short, or is not as SDKs write it",
      );
    }
    if (tail === undefined || tail.at > behind) return new MoreOfMessage("tail", behind);
    if (readFields(tail.bytes, behind - tail.at, length, tail.at, found) < length) {
      throw new InvalidMessage(CUT);
    }
  }
  const { storeId, arrowAt, arrowBytes, chunkId, compression = 0, size = 0, encoding } = found;
  if (storeId === undefined || arrowAt === undefined || arrowBytes === undefined) {
    throw new InvalidMessage("A chunk does not say which recording it is of, or has no data");
  }
  if (encoding !== 1) {
    const what = encoding === undefined
      ? "says no encoding"
      : `has the unknown encoding ${encoding}`;
    throw new InvalidMessage(`A chunk ${what}`);
  }
  const how = COMPRESSIONS[compression];
  if (how === undefined) {
    throw new InvalidMessage(`A chunk has the unknown compression ${compression}`);
  }
  const id = chunkId === undefined ? undefined : readTuid(chunkId);
  return { storeId, compression: how, uncompressedSize: size, chunkId: id, arrowAt, arrowBytes };
}

interface Found {
  storeId?: Uint8Array;
  compression?: number;
  size?: number;
  encoding?: number;
  arrowAt?: number;
  arrowBytes?: number;
  chunkId?: Uint8Array;
}

/**
 * Reads fields; returns where it ended: behind the message, or behind data that was not read as a
 * whole.
 */
function readFields(
  bytes: Uint8Array,
  from: number,
  length: number,
  base: number,
  found: Found,
): number {
  const reader = new VarintReader(bytes, from);
  while (base + reader.at < length) {
    const tag = reader.next();
    const [field, wire] = [Math.floor(tag / 8), tag % 8];
    if (wire === VARINT) {
      const value = reader.next();
      if (field === 2) found.compression = value;
      else if (field === 3) found.size = value;
      else if (field === 4) found.encoding = value;
      continue;
    }
    if (wire !== BYTES) throw new InvalidMessage(FOREIGN);
    const size = reader.next();
    const until = reader.at + size;
    if (base + until > length) {
      throw new InvalidMessage("A field of the message around a chunk is longer than that message");
    }
    if (field === 5) {
      found.arrowAt = base + reader.at;
      found.arrowBytes = size;
      if (until > bytes.length) return base + until;
    } else {
      if (until > bytes.length) throw new InvalidMessage(FOREIGN);
      if (field === 1) found.storeId = bytes.subarray(reader.at, until);
      else if (field === 6) found.chunkId = bytes.subarray(reader.at, until);
    }
    reader.at = until;
  }
  return base + reader.at;
}

/** Reads an id of time and count into the form of Arrow: both big endian, one behind the other. */
function readTuid(bytes: Uint8Array): Uint8Array {
  const id = new Uint8Array(16);
  for (let at = 0; at < bytes.length; at += 9) {
    const field = bytes[at]! >> 3;
    if ((bytes[at]! & 7) !== 1 || field < 1 || field > 2 || at + 9 > bytes.length) {
      throw new InvalidMessage("The id of a chunk is not as SDKs write it");
    }
    for (let i = 0; i < 8; i++) id[8 * field - 1 - i] = bytes[at + 1 + i]!;
  }
  return id;
}

class VarintReader {
  constructor(readonly bytes: Uint8Array, public at: number) {}

  next(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 49; scale *= 128) {
      const byte = this.bytes[this.at++];
      if (byte === undefined) throw new InvalidMessage(CUT);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    throw new InvalidMessage("A number in the message around a chunk is too large");
  }
}
