import type { Encoded, StoreId } from "../message_parts.ts";
import { ArrowMsg } from "../arrow_msg.ts";
import type { DecodeLimits } from "../limits.ts";
import { DENSEST_LZ4 } from "../limits.ts";
import { ProtobufBudget } from "./protobuf.ts";
import { type ProtobufDialect, readStoreId } from "./protobuf_store_info.ts";
import { Tuid } from "../tuid.ts";

/** Tags: the field's number, and how its value is written. */
const TAGS = {
  storeId: 1 << 3 | 2,
  compression: 2 << 3,
  uncompressedSize: 3 << 3,
  encoding: 4 << 3,
  payload: { v0: 1000 << 3 | 2, v1alpha1: 5 << 3 | 2 },
  chunkId: 6 << 3 | 2,
  isStatic: 7 << 3,
} as const;

/** Length of a `Tuid` that has both of its fields in their order. */
const TUID_BYTES = 18;
const [TIME_NS_TAG, INC_TAG] = [1 << 3 | 1, 2 << 3 | 1];

/** How data is compressed, by dialect and number. */
const COMPRESSIONS = { v0: ["off", "lz4"], v1alpha1: [undefined, "off", "lz4"] } as const;

/**
 * Reads the envelopes of `ArrowMsg`s as SDKs write them, several times as fast as field by field.
 *
 * Nearly all messages of a call belong to the same store, whose id is read only once.
 */
export class ArrowEnvelopes {
  readonly #dialect: ProtobufDialect;
  readonly #limits: Required<DecodeLimits>;
  /** The last store id, and its bytes. */
  #storeId: StoreId | undefined;
  #storeIdBytes: Uint8Array = new Uint8Array(0);
  /**
   * Kept, since asking a view for its buffer is slow on Bun (see pinned_bytes.ts), and making a
   * view on both runtimes.
   */
  #view: DataView = new DataView(new ArrayBuffer(0));
  /** Where the next byte is. */
  #at = 0;

  /**
   * @param dialect which definitions the messages follow
   * @param limits of the envelope, and of what Arrow data may declare to inflate to
   */
  constructor(dialect: ProtobufDialect, limits: Required<DecodeLimits>) {
    this.#dialect = dialect;
    this.#limits = limits;
  }

  /**
   * Reads a message.
   *
   * @param bytes which the message reaches to the end of
   * @param start where it begins
   * @param encoded the message as it came, for the result
   * @returns nothing if it is not written as SDKs do; it may be valid all the same
   */
  decode(bytes: Uint8Array, start: number, encoded: Encoded): ArrowMsg | undefined {
    const { buffer, byteOffset, length: end } = bytes;
    if (this.#view.buffer !== buffer) this.#view = new DataView(buffer);
    const payloadTag = TAGS.payload[this.#dialect];
    let storeId: StoreId | undefined;
    let chunkId: Tuid | undefined;
    let isStatic: boolean | undefined;
    let data: Uint8Array | undefined;
    // One by one: taking an array apart is much code, which Bun then compiles late.
    let compression = 0;
    let declared = 0;
    let encoding = 0;
    for (this.#at = start; this.#at < end;) {
      const tag = this.#varint(bytes);
      const value = this.#varint(bytes);
      if (Number.isNaN(value)) return undefined;
      // End of a field with a length.
      const until = this.#at + value;
      if (tag === TAGS.compression) compression = value;
      else if (tag === TAGS.uncompressedSize) declared = value;
      else if (tag === TAGS.encoding) encoding = value;
      else if (tag === TAGS.isStatic && this.#dialect !== "v0") isStatic = value !== 0;
      else if (!(until <= end)) return undefined;
      else if (tag === payloadTag) {
        data = new Uint8Array(buffer, byteOffset + this.#at, value);
        this.#at = until;
      } else if (tag === TAGS.storeId) {
        storeId = this.#readStoreId(bytes, this.#at, until);
        this.#at = until;
      } else if (tag === TAGS.chunkId && this.#dialect !== "v0") {
        chunkId = this.#readTuid(bytes, byteOffset, value);
        if (chunkId === undefined) return undefined;
        this.#at = until;
      } else return undefined;
    }
    // A number that runs over the end makes `#at` differ.
    if (this.#at !== end || storeId === undefined || encoding !== 1 || data === undefined) {
      return undefined;
    }
    const how = COMPRESSIONS[this.#dialect][compression];
    if (how === undefined) return undefined;
    const uncompressedSize = how === "off" ? data.length : declared;
    const { maxMessageBytes, maxLz4Ratio } = this.#limits;
    if (uncompressedSize > maxMessageBytes) return undefined;
    const most = data.length * Math.min(maxLz4Ratio, DENSEST_LZ4);
    if (how === "lz4" && declared > most) return undefined;
    const arrow = { bytes: data, compression: how, uncompressedSize };
    return new ArrowMsg(storeId, chunkId, undefined, isStatic, arrow, encoded);
  }

  /** A number of at most 49 bits; NaN for others, and for what is cut. */
  #varint(bytes: Uint8Array): number {
    let byte = bytes[this.#at++]!;
    if (byte < 0x80) return byte;
    let value = byte & 0x7f;
    for (let scale = 128; scale < 2 ** 49; scale *= 128) {
      byte = bytes[this.#at++]!;
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
    return NaN;
  }

  /** Reads a store id; gives the object of the last call where the bytes are equal. */
  #readStoreId(bytes: Uint8Array, from: number, to: number): StoreId {
    const known = this.#storeIdBytes;
    if (this.#storeId !== undefined && known.length === to - from) {
      let i = 0;
      while (i < known.length && known[i] === bytes[from + i]) i++;
      if (i === known.length) return this.#storeId;
    }
    const own = bytes.slice(from, to);
    const storeId = readStoreId(own, this.#dialect, new ProtobufBudget(this.#limits));
    this.#storeIdBytes = own;
    return this.#storeId = storeId;
  }

  #readTuid(bytes: Uint8Array, byteOffset: number, length: number): Tuid | undefined {
    const at = this.#at;
    const isPlain = length === TUID_BYTES && bytes[at] === TIME_NS_TAG && bytes[at + 9] === INC_TAG;
    if (!isPlain) return undefined;
    const timeNs = this.#view.getBigUint64(byteOffset + at + 1, true);
    return new Tuid(timeNs, this.#view.getBigUint64(byteOffset + at + 10, true));
  }
}
