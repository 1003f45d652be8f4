/**
 * A bounded reader of msgpack: memory and time depend on what is there, not on what a peer
 * declares.
 *
 * @module
 */
import { InvalidMessage, MessageLimit } from "../../base/errors.ts";
import { type Interned, MAX_INTERNED_BYTES } from "../interned.ts";
import { DECODE_LIMITS, type DecodeLimits, tooMuchText } from "../limits.ts";

/** A decoded value; maps stay maps, since keys may be maps themselves. */
export type MsgpackValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | MsgpackValue[]
  | Map<MsgpackValue, MsgpackValue>;

const utf8 = new TextDecoder("utf-8", { fatal: true });

/** Reads msgpack values one by one from a position in some bytes. */
export class MsgpackReader {
  #view: DataView;
  readonly #limits: Required<DecodeLimits>;
  readonly #texts: Interned | undefined;
  #entriesLeft: number;
  #textLeft: number;

  /**
   * @param bytes what to read
   * @param pos where the next value begins, in bytes
   * @param end where the bytes to read end
   * @param limits for all that is read
   * @param texts keeps short texts that come again; absent if none do
   */
  constructor(
    readonly bytes: Uint8Array,
    public pos: number,
    readonly end: number,
    limits: Required<DecodeLimits> = DECODE_LIMITS,
    texts?: Interned,
  ) {
    this.#limits = limits;
    this.#texts = texts;
    this.#entriesLeft = limits.maxEntries;
    this.#textLeft = limits.maxTextBytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Entries of the map that begins here. */
  mapLength(): number {
    const byte = this.#take(1);
    if ((byte & 0xf0) === 0x80) return this.#count(byte & 0x0f);
    return this.#count(
      this.#uint(byte === 0xde ? 2 : byte === 0xdf ? 4 : this.#fail("a map", byte)),
    );
  }

  /** Entries of the array that begins here. */
  arrayLength(): number {
    const byte = this.#take(1);
    if ((byte & 0xf0) === 0x90) return this.#count(byte & 0x0f);
    return this.#count(
      this.#uint(byte === 0xdc ? 2 : byte === 0xdd ? 4 : this.#fail("an array", byte)),
    );
  }

  /** The text that begins here. */
  string(): string {
    const byte = this.#take(1);
    const length = (byte & 0xe0) === 0xa0 ? byte & 0x1f : this.#uint(
      byte >= 0xd9 && byte <= 0xdb ? 1 << (byte - 0xd9) : this.#fail("a string", byte),
    );
    const start = this.#text(length);
    if (length > MAX_INTERNED_BYTES) return this.#utf8(start);
    return this.#texts?.ascii(this.bytes, start, this.pos) ?? this.#utf8(start);
  }

  /** The binary value that begins here, as a view; only the message bounds it. */
  binary(): Uint8Array {
    const start = this.#skip(this.#binaryLength());
    return this.bytes.subarray(start, this.pos);
  }

  /** The integer of up to 64 bits that begins here. */
  bigint(): bigint {
    const value = this.value();
    if (typeof value === "bigint") return value;
    if (typeof value === "number" && Number.isInteger(value)) return BigInt(value);
    throw invalid(this.pos, "an integer is expected");
  }

  /** Whether a nil begins here; if so it is read. */
  nil(): boolean {
    if (this.pos >= this.end || this.bytes[this.pos] !== 0xc0) return false;
    this.pos++;
    return true;
  }

  /** Any value: integers of 64 bits as bigint, smaller ones as number. */
  value(depth: number = 0): MsgpackValue {
    const { maxDepth } = this.#limits;
    if (depth > maxDepth) {
      throw new MessageLimit(depth, maxDepth, "maxDepth", "values of msgpack in one another");
    }
    if (this.pos >= this.end) this.#take(1);
    const byte = this.bytes[this.pos]!;
    if (byte < 0x80) return this.#take(1);
    if (byte >= 0xe0) return this.#take(1) - 256;
    if (byte < 0x90 || byte === 0xde || byte === 0xdf) {
      const map = new Map<MsgpackValue, MsgpackValue>();
      for (let n = this.mapLength(); n > 0; n--) {
        map.set(this.value(depth + 1), this.value(depth + 1));
      }
      return map;
    }
    if (byte < 0xa0 || byte === 0xdc || byte === 0xdd) {
      const array: MsgpackValue[] = [];
      for (let n = this.arrayLength(); n > 0; n--) array.push(this.value(depth + 1));
      return array;
    }
    if (byte < 0xc0 || (byte >= 0xd9 && byte <= 0xdb)) return this.string();
    if (byte >= 0xc4 && byte <= 0xc6) return this.#smallBinary();
    return this.#scalar(this.#take(1));
  }

  #scalar(byte: number): MsgpackValue {
    const view = this.#view;
    const at = this.pos;
    switch (byte) {
      case 0xc0:
        return null;
      case 0xc2:
        return false;
      case 0xc3:
        return true;
      case 0xca:
        return this.#take(4), view.getFloat32(at);
      case 0xcb:
        return this.#take(8), view.getFloat64(at);
      case 0xcc:
      case 0xcd:
      case 0xce:
        return this.#uint(1 << (byte - 0xcc));
      case 0xcf:
        return this.#take(8), view.getBigUint64(at);
      case 0xd0:
        return this.#take(1), view.getInt8(at);
      case 0xd1:
        return this.#take(2), view.getInt16(at);
      case 0xd2:
        return this.#take(4), view.getInt32(at);
      case 0xd3:
        return this.#take(8), view.getBigInt64(at);
      // No log message has extensions (0xc7–0xc9, 0xd4–0xd8).
      default:
        return this.#fail("a value", byte);
    }
  }

  /** Reads an unsigned integer of 1, 2 or 4 bytes. */
  #uint(width: number): number {
    const at = this.pos;
    this.#take(width);
    if (width === 1) return this.bytes[at]!;
    return width === 2 ? this.#view.getUint16(at) : this.#view.getUint32(at);
  }

  /** Passes over so many bytes, and returns the first. */
  #take(length: number): number {
    const at = this.pos;
    if (at + length > this.end) {
      throw new InvalidMessage(`Invalid msgpack: it ends inside a value, at byte ${this.end}`);
    }
    this.pos = at + length;
    return this.bytes[at]!;
  }

  /** A binary value that is not Arrow data, which counts as text. */
  #smallBinary(): Uint8Array {
    const start = this.#text(this.#binaryLength());
    return this.bytes.subarray(start, this.pos);
  }

  #binaryLength(): number {
    const byte = this.#take(1);
    return this.#uint(
      byte >= 0xc4 && byte <= 0xc6 ? 1 << (byte - 0xc4) : this.#fail("a binary", byte),
    );
  }

  /** Passes over so many bytes of text, and returns where they begin. */
  #text(length: number): number {
    this.#textLeft -= length;
    if (this.#textLeft < 0) throw tooMuchText(this.#limits.maxTextBytes, this.#textLeft);
    return this.#skip(length);
  }

  /** Passes over so many bytes, and returns where they begin. */
  #skip(length: number): number {
    const start = this.pos;
    this.#take(length);
    return start;
  }

  #count(count: number): number {
    this.#entriesLeft -= count;
    if (this.#entriesLeft >= 0) return count;
    const { maxEntries } = this.#limits;
    const found = maxEntries - this.#entriesLeft;
    throw new MessageLimit(found, maxEntries, "maxEntries", "entries in a message");
  }

  #utf8(start: number): string {
    try {
      return utf8.decode(this.bytes.subarray(start, this.pos));
    } catch (cause) {
      throw invalid(start, "text that is not UTF-8", { cause });
    }
  }

  #fail(expected: string, byte: number): never {
    throw invalid(this.pos - 1, `${expected} is expected, not 0x${byte.toString(16)}`);
  }
}

function invalid(at: number, what: string, options?: ErrorOptions): InvalidMessage {
  return new InvalidMessage(`Invalid msgpack at byte ${at}: ${what}`, options);
}
