/**
 * Inflates LZ4 blocks, after checking that their own lengths agree.
 *
 * @module
 */
import { InvalidMessage, MessageLimit } from "../../base/errors.ts";
import { type DecodeLimits, DENSEST_LZ4 } from "../limits.ts";
import { plural } from "../../base/plural.ts";

/**
 * Inflates one LZ4 block.
 *
 * @param block the compressed bytes
 * @param size what it must inflate to, in bytes; checked against a limit by the caller
 * @param memory where it goes if it fits there; left out, and where it does not, memory is new
 * @throws {InvalidMessage} if the block is damaged or inflates to another size
 */
export function inflateLz4(
  block: Uint8Array,
  size: number,
  memory?: Uint8Array<ArrayBuffer>,
): Uint8Array<ArrayBuffer> {
  // A few bytes can declare gigabytes. So the block is walked over first, which takes time by its
  // own length, and memory is taken only for what it really holds.
  const actual = inflatedLength(block, size);
  if (actual !== size) {
    if (actual < 0) throw damaged(block);
    throw new InvalidMessage(
      `An LZ4 block of ${plural(block.length, "byte")} does not inflate to the declared ${
        plural(size, "byte")
      }`,
    );
  }
  const out = memory !== undefined && size <= memory.length
    ? memory.subarray(0, size)
    : new Uint8Array(size);
  inflateInto(out, block);
  return out;
}

/**
 * Inflates the beginning of one LZ4 block; the rest is not looked at.
 *
 * @param block the compressed bytes, or the beginning of them
 * @param size how many inflated bytes are wanted; checked against a limit by the caller
 * @param storedBytes how long the whole block is, in bytes
 * @returns these bytes; fewer if the block holds no more, or if too little of it is there
 * @throws {InvalidMessage} if it is damaged there
 */
export function inflateLz4Front(
  block: Uint8Array,
  size: number,
  storedBytes: number = block.length,
): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(size);
  const end = block.length;
  let [at, to] = [0, 0];
  // A whole block that ends within a sequence is damaged; if only its beginning is here, the rest
  // is missing.
  const cut = () => {
    if (end >= storedBytes) throw damaged(block);
  };
  const lengthOf = (nibble: number) => {
    let length = nibble;
    for (let more = nibble === 15 ? 255 : 0; more === 255;) {
      if (at >= end) {
        cut();
        break;
      }
      length += more = block[at++]!;
    }
    return length;
  };
  while (at < end && to < size) {
    const token = block[at++]!;
    const literals = lengthOf(token >> 4);
    if (at + literals > end) cut();
    const there = Math.min(literals, size - to, end - at);
    out.set(block.subarray(at, at + there), to);
    at += literals;
    to += there;
    if (at >= end || to >= size) break;
    if (at + 2 > end) {
      cut();
      break;
    }
    const from = to - (block[at]! | (block[at + 1]! << 8));
    if (from < 0 || from === to) throw damaged(block);
    at += 2;
    const until = Math.min(size, to + lengthOf(token & 15) + 4);
    for (let i = 0; to + i < until; i++) out[to + i] = out[from + i]!;
    to = until;
  }
  return out.subarray(0, to);
}

function damaged(block: Uint8Array): InvalidMessage {
  return new InvalidMessage(`A damaged LZ4 block of ${plural(block.length, "byte")}`);
}

/** Inflated sizes up to this, in bytes, are allowed at any ratio: they are no use to an attacker. */
const HARMLESS_BYTES = 16 * 1024 * 1024;

/**
 * Refuses a block that declares more than its size can hold, before memory is taken for it.
 *
 * @param stored bytes of the block
 * @param declared what it says to inflate to, in bytes
 * @param limits with the highest allowed ratio
 * @throws {MessageLimit} if it declares too much
 */
export function checkLz4Ratio(
  stored: number,
  declared: number,
  { maxLz4Ratio }: Required<DecodeLimits>,
): void {
  const limit = declared <= HARMLESS_BYTES ? DENSEST_LZ4 : maxLz4Ratio;
  if (declared <= stored * limit) return;
  const ratio = stored === 0 ? Infinity : Math.ceil(declared / stored);
  throw new MessageLimit(ratio, limit, "maxLz4Ratio", "times the size of its LZ4 block");
}

/** Bytes that the block inflates to, counted until they exceed `limit`; −1 if it is damaged. */
function inflatedLength(block: Uint8Array, limit: number): number {
  const end = block.length;
  let at = 0;
  let out = 0;
  while (at < end) {
    const token = block[at++]!;
    let literals = token >> 4;
    if (literals === 15) {
      let more = 255;
      while (more === 255 && at < end) literals += more = block[at++]!;
      if (more === 255) return -1;
    }
    at += literals;
    out += literals;
    if (at > end) return -1;
    if (at === end || out > limit) break;
    if (at + 2 > end) return -1;
    const offset = block[at]! | (block[at + 1]! << 8);
    at += 2;
    if (offset === 0 || offset > out) return -1;
    let match = (token & 15) + 4;
    if (match === 19) {
      let more = 255;
      while (more === 255 && at < end) match += more = block[at++]!;
      if (more === 255) return -1;
    }
    out += match;
    if (out > limit) break;
  }
  return out;
}

/** Fewer bytes are copied faster one by one than by a call. */
const LONG = 32;

/** Inflates a block whose lengths agree. */
function inflateInto(out: Uint8Array, block: Uint8Array): void {
  const end = block.length;
  let at = 0;
  let to = 0;
  while (at < end) {
    const token = block[at++]!;
    let length = token >> 4;
    if (length === 15) {
      let more = 255;
      while (more === 255) length += more = block[at++]!;
    }
    if (length < LONG) { for (let i = 0; i < length; i++) out[to + i] = block[at + i]!; }
    else out.set(block.subarray(at, at + length), to);
    at += length;
    to += length;
    if (at >= end) return;
    const from = to - (block[at]! | (block[at + 1]! << 8));
    at += 2;
    length = (token & 15) + 4;
    if (length === 19) {
      let more = 255;
      while (more === 255) length += more = block[at++]!;
    }
    // A match may overlap what it writes, which repeats its beginning.
    if (length < LONG || from + length > to) {
      for (let i = 0; i < length; i++) out[to + i] = out[from + i]!;
    } else out.copyWithin(to, from, from + length);
    to += length;
  }
}
