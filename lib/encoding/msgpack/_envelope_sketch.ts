import { type StoreId, TIME_STATIC, type TimelineTime } from "../message_parts.ts";
import type { ArrowMsg } from "../arrow_msg.ts";
import { BytePattern } from "../byte_pattern.ts";

/**
 * An envelope with its integers left open: what a message must have in common with it, and what it
 * is then known to have.
 */
export interface EnvelopeTemplate {
  readonly pattern: BytePattern;
  /** Bytes up to the Arrow data's own length. */
  readonly length: number;
  readonly storeId: StoreId;
  /** Where the two halves of the chunk's id are, unsigned integers of 64 bits. */
  readonly timeNsAt: number;
  readonly incAt: number;
  /** Its timelines, in Rerun's order. */
  readonly timelines: readonly TimelinePlace[];
}

/** A timeline, and where the time on it is. */
interface TimelinePlace extends Pick<TimelineTime, "name" | "type"> {
  readonly at: number;
  /** The msgpack type byte; 0 for an integer that is its own byte. */
  readonly wire: number;
}

/** Longer envelopes get no template, and are read each time. */
const MAX_ENVELOPE_BYTES = 1024;

/** Bytes of the integers by type byte, 0xcc to 0xd3. */
const WIDTHS = [1, 2, 4, 8, 1, 2, 4, 8];

/** Thrown where an envelope is not written as SDKs do: it gets no template. */
const OTHER = Symbol("another form");

/**
 * Makes a template of an envelope.
 *
 * @param bytes where it is
 * @param start where it begins
 * @param msg what was read from it
 * @returns nothing if it is not written as SDKs do
 */
export function sketchEnvelope(
  bytes: Uint8Array,
  start: number,
  msg: ArrowMsg,
): EnvelopeTemplate | undefined {
  try {
    return new Sketch(bytes, start).draw(msg);
  } catch (thrown) {
    if (thrown === OTHER) return undefined;
    throw thrown;
  }
}

/** Walks over one envelope. */
class Sketch {
  #at: number;
  /** For each byte, a mask of the bits that are not open. */
  readonly #masks = new Uint8Array(MAX_ENVELOPE_BYTES).fill(0xff);

  constructor(readonly bytes: Uint8Array, readonly start: number) {
    this.#at = start;
  }

  draw(msg: ArrowMsg): EnvelopeTemplate {
    this.#bytesOf(0x81);
    this.#textOf("ArrowMsg");
    this.#bytesOf(0x92, 0x82);
    this.#textOf("kind");
    this.#textOf(msg.storeId.kind);
    this.#textOf("id");
    this.#textOf(msg.storeId.id);
    this.#bytesOf(0x93, 0x82);
    this.#textOf("time_ns");
    const timeNsAt = this.#u64();
    this.#textOf("inc");
    const incAt = this.#u64();
    const times = msg.timepointMax ?? [];
    // At most 15 entries, for larger maps are written in another way.
    this.#bytesOf(0x80 + times.length);
    const timelines = times.map((time) => this.#timeline(time));
    return { ...this.#pattern(), storeId: msg.storeId, timeNsAt, incAt, timelines };
  }

  #timeline({ name, type }: TimelineTime): TimelinePlace {
    this.#bytesOf(0x82);
    this.#textOf("name");
    this.#textOf(name);
    this.#textOf("typ");
    this.#textOf(type === "time" ? "Time" : "Sequence");
    const at = this.#at - this.start;
    return { name, type, at, wire: this.#integer() };
  }

  #bytesOf(...expected: number[]): void {
    for (const byte of expected) if (this.bytes[this.#at++] !== byte) throw OTHER;
  }

  /** Expects a short text of ASCII; others are rare. */
  #textOf(text: string): void {
    if (text.length < 32) this.#bytesOf(0xa0 + text.length);
    else this.#bytesOf(0xd9, text.length);
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code > 0x7f) throw OTHER;
      this.#bytesOf(code);
    }
  }

  #u64(): number {
    this.#bytesOf(0xcf);
    return this.#open(8) - this.start;
  }

  #integer(): number {
    const wire = this.bytes[this.#at]!;
    const isOwnByte = wire < 0x80 || wire >= 0xe0;
    if (isOwnByte) this.#open(1, wire < 0x80 ? 0x80 : 0xe0);
    else {
      this.#at++;
      if (wire !== 0xc0) this.#open(WIDTHS[wire - 0xcc] ?? this.#other());
    }
    return isOwnByte ? 0 : wire;
  }

  /** Leaves so many bytes open, except for some of their bits. */
  #open(width: number, mask = 0): number {
    const at = this.#at;
    this.#masks.fill(mask, at - this.start, at - this.start + width);
    this.#at += width;
    return at;
  }

  #pattern(): Pick<EnvelopeTemplate, "pattern" | "length"> {
    const length = this.#at - this.start;
    if (length > MAX_ENVELOPE_BYTES) this.#other();
    const bytes = this.bytes.subarray(this.start, this.#at);
    return { pattern: new BytePattern(bytes, this.#masks), length };
  }

  #other(): never {
    throw OTHER;
  }
}

/**
 * Reads the time on a timeline.
 *
 * @param view where the envelope is
 * @param at where the time stands in it
 * @param wire its type
 * @returns nothing if it is not a time that may be there
 */
export function readTimeAt(view: DataView, at: number, wire: number): bigint | undefined {
  switch (wire) {
    case 0:
      return BigInt(view.getInt8(at));
    case 0xc0:
      return TIME_STATIC;
    case 0xcc:
      return BigInt(view.getUint8(at + 1));
    case 0xcd:
      return BigInt(view.getUint16(at + 1));
    case 0xce:
      return BigInt(view.getUint32(at + 1));
    case 0xd0:
      return BigInt(view.getInt8(at + 1));
    case 0xd1:
      return BigInt(view.getInt16(at + 1));
    case 0xd2:
      return BigInt(view.getInt32(at + 1));
    default:
      return wideTime(view.getBigInt64(at + 1), wire);
  }
}

/**
 * Checks a time: the largest unsigned integers are too large, and the smallest signed one is
 * reserved.
 */
function wideTime(time: bigint, wire: number): bigint | undefined {
  return (wire === 0xcf && time < 0n) || time === TIME_STATIC ? undefined : time;
}
