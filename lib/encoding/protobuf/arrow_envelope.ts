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
  payload: 5 << 3 | 2,
  chunkId: 6 << 3 | 2,
  isStatic: 7 << 3,
} as const;

/** The tag of the payload in v0, which has two bytes: field 1000. */
const PAYLOAD_V0 = [0xc2, 0x3e] as const;

/** Length of a `Tuid` that has both of its fields in their order. */
const TUID_BYTES = 18;
const [TIME_NS_TAG, INC_TAG] = [1 << 3 | 1, 2 << 3 | 1];

const NO_VIEW = new DataView(new ArrayBuffer(0));

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
  #storeIdBytes: DataView = NO_VIEW;
  /**
   * Kept, since asking a view for its buffer is slow on Bun (see pinned_bytes.ts), and making a
   * view on both runtimes.
   */
  #view: DataView = NO_VIEW;
  #buffer: ArrayBufferLike = NO_VIEW.buffer;
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
   * @param buffer of the bytes, where it is known
   * @returns nothing if it is not written as SDKs do; it may be valid all the same
   */
  decode(
    bytes: Uint8Array,
    start: number,
    encoded: Encoded,
    buffer: ArrayBufferLike = bytes.buffer,
  ): ArrowMsg | undefined {
    const { byteOffset, length: end } = bytes;
    if (this.#buffer !== buffer) {
      this.#buffer = buffer;
      this.#view = new DataView(buffer);
    }
    this.#at = start;
    // Field after field in the order in which SDKs write them, without a loop over tags: Bun compiles
    // large functions late, and this is most of what a small message costs.
    const storeId = this.#readStoreId(bytes, byteOffset);
    const compression = this.#number(bytes, TAGS.compression);
    const declared = this.#number(bytes, TAGS.uncompressedSize);
    const encoding = this.#number(bytes, TAGS.encoding);
    let data: Uint8Array | undefined;
    let chunkId: Tuid | undefined;
    let isStatic: boolean | undefined;
    if (this.#dialect === "v0") {
      if (bytes[this.#at + 1] === PAYLOAD_V0[1]) data = this.#payload(bytes, PAYLOAD_V0[0], 2);
    } else {
      data = this.#payload(bytes, TAGS.payload, 1);
      if (bytes[this.#at] === TAGS.chunkId) chunkId = this.#readTuid(bytes, byteOffset);
      if (bytes[this.#at] === TAGS.isStatic) isStatic = this.#number(bytes, TAGS.isStatic) !== 0;
      // We ourselves write it last.
      data ??= this.#payload(bytes, TAGS.payload, 1);
    }
    // Where something else came, or a number runs over the end, `#at` differs.
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

  /** The number of the next field; 0 if that has another tag. */
  #number(bytes: Uint8Array, tag: number): number {
    if (bytes[this.#at] !== tag) return 0;
    this.#at++;
    return this.#varint(bytes);
  }

  /** The data, if that is the next field. */
  #payload(bytes: Uint8Array, tag: number, tagBytes: number): Uint8Array | undefined {
    if (bytes[this.#at] !== tag) return undefined;
    this.#at += tagBytes;
    const length = this.#varint(bytes);
    const from = this.#at;
    this.#at += length;
    if (!(this.#at <= bytes.length)) return undefined;
    return new Uint8Array(this.#buffer, bytes.byteOffset + from, length);
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
  #readStoreId(bytes: Uint8Array, byteOffset: number): StoreId | undefined {
    if (bytes[this.#at] !== TAGS.storeId) return undefined;
    this.#at++;
    const length = this.#varint(bytes);
    const from = byteOffset + this.#at;
    this.#at += length;
    if (!(this.#at <= bytes.length)) return undefined;
    const known = this.#storeIdBytes;
    if (this.#storeId !== undefined && isSame(this.#view, from, known, length)) {
      return this.#storeId;
    }
    const own = new Uint8Array(this.#buffer, from, length).slice();
    const storeId = readStoreId(own, this.#dialect, new ProtobufBudget(this.#limits));
    this.#storeIdBytes = new DataView(own.buffer);
    return this.#storeId = storeId;
  }

  /** Reads the id of the chunk; nothing, and `#at` stays, if it is not written as SDKs do. */
  #readTuid(bytes: Uint8Array, byteOffset: number): Tuid | undefined {
    const at = this.#at + 2;
    const isPlain = bytes[at - 1] === TUID_BYTES && bytes[at] === TIME_NS_TAG &&
      bytes[at + 9] === INC_TAG && at + TUID_BYTES <= bytes.length;
    if (!isPlain) return undefined;
    this.#at = at + TUID_BYTES;
    const timeNs = this.#view.getBigUint64(byteOffset + at + 1, true);
    return new Tuid(timeNs, this.#view.getBigUint64(byteOffset + at + 10, true));
  }
}

/** Whether bytes of a view equal all of another's, compared four at a time. */
function isSame(view: DataView, from: number, known: DataView, length: number): boolean {
  if (known.byteLength !== length) return false;
  let at = 0;
  while (at + 4 <= length && known.getInt32(at) === view.getInt32(from + at)) at += 4;
  while (at < length && known.getInt8(at) === view.getInt8(from + at)) at++;
  return at === length;
}
