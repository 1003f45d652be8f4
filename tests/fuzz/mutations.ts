/** Ways to damage a packet, each a pure function of its random numbers. */
import { inflateLz4 } from "../../lib/encoding/lz4/lz4.ts";
import { compressLz4 } from "../../lib/encoding/lz4/lz4_deflate.ts";
import { concat } from "../encoding/rrd_builder.ts";

/** Random choices of one case. */
export interface Dice {
  /** In [0, 1). */
  readonly random: () => number;
  /** An integer from 0 up to `n`, exclusive. */
  below(n: number): number;
  /** One of these. */
  one<T>(items: readonly T[]): T;
}

/** Makes choices of random numbers. */
export function dice(random: () => number): Dice {
  const below = (n: number) => Math.floor(random() * n);
  return { random, below, one: (items) => items[below(items.length)]! };
}

type Bytes = Uint8Array<ArrayBuffer>;
/** Changes `bytes`, which are a copy already, or gives others. */
type Mutation = (bytes: Bytes, dice: Dice, corpus: readonly Bytes[]) => Bytes;

const HEADER_BYTES = 12;

/** Numbers at which code that counts tends to break. */
const EDGES = [
  ...[0, 1, 2, 7, 8, 15, 16, 0x7f, 0x80, 0xff, 0x100, 0xffff, 0x10000, 0x10001, 1 << 20],
  ...[0x1fffffff, 0x20000000, 0x20000001, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff],
];
/** What msgpack values of each type begin with. */
const MSGPACK_TYPES = [
  ...[0x00, 0x80, 0x81, 0x8f, 0x90, 0x91, 0x92, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xc4, 0xc5],
  ...[0xc6, 0xc7, 0xc9, 0xca, 0xcb, 0xcc, 0xcf, 0xd0, 0xd3, 0xd4, 0xd8, 0xd9, 0xdb, 0xdc, 0xdd],
  ...[0xde, 0xdf, 0xe0, 0xff],
];

/** Where what is decoded is: mostly near the beginning, for behind it lies Arrow data. */
function place(bytes: Bytes, { below, random }: Dice): number {
  return below(random() < 0.7 ? Math.min(bytes.length, 400) : bytes.length);
}

function flipBits(bytes: Bytes, dice: Dice): Bytes {
  for (let n = 1 + dice.below(8); n > 0; n--) bytes[place(bytes, dice)]! ^= 1 << dice.below(8);
  return bytes;
}

function setBytes(bytes: Bytes, dice: Dice): Bytes {
  for (let n = 1 + dice.below(4); n > 0; n--) bytes[place(bytes, dice)] = dice.below(256);
  return bytes;
}

function cut(bytes: Bytes, { below, random }: Dice): Bytes {
  if (random() < 0.3) return bytes.slice(0, below(Math.min(bytes.length, 64)));
  return bytes.slice(0, below(bytes.length));
}

/** The message's own lengths, or any number that may be one, in either byte order and as a varint. */
function lieOfLength(bytes: Bytes, dice: Dice): Bytes {
  const { below, one, random } = dice;
  const view = new DataView(bytes.buffer);
  const near = bytes.length - HEADER_BYTES + below(40) - 20;
  const value = random() < 0.4 ? Math.max(0, near) : one(EDGES);
  const at = random() < 0.5 ? one([12, 16, 20, 24]) : place(bytes, dice);
  if (at + 4 > bytes.length) return bytes;
  if (at > 24 && random() < 0.3) bytes.set([value | 0x80, (value >> 7) | 0x80, value >> 14], at);
  else view.setUint32(at, value, at <= 24 || random() < 0.5);
  return bytes;
}

function splice(bytes: Bytes, dice: Dice, corpus: readonly Bytes[]): Bytes {
  const other = dice.one(corpus);
  const at = place(bytes, dice);
  const from = place(other, dice);
  switch (dice.below(5)) {
    case 0: // the beginning of one, the end of another
      return concat(bytes.subarray(0, at), other.subarray(from));
    case 1: // a piece of another in it
      return concat(
        bytes.subarray(0, at),
        other.subarray(from, from + dice.below(300)),
        bytes.subarray(at),
      );
    case 2: // a piece is missing
      return concat(bytes.subarray(0, at), bytes.subarray(at + 1 + dice.below(30)));
    case 3: // a piece twice
      return concat(bytes.subarray(0, at), bytes.subarray(Math.max(0, at - dice.below(60))));
    default: // a whole stream, or a message of one, behind it
      return concat(bytes, other.subarray(dice.one([0, HEADER_BYTES, from])));
  }
}

function confuseTypes(bytes: Bytes, dice: Dice): Bytes {
  switch (dice.below(6)) {
    case 0: // another serializer or compression than the data has
      if (bytes.length >= HEADER_BYTES) bytes.set([dice.below(3), dice.below(4)], 8);
      return bytes;
    case 1: // another version, and with it another protobuf dialect
      if (bytes.length >= HEADER_BYTES) bytes.set([dice.below(2), dice.below(64)], 4);
      return bytes;
    case 2: // another kind of protobuf message
      if (bytes.length >= 20) bytes[HEADER_BYTES] = dice.below(5);
      return bytes;
    case 3: // another magic
      if (bytes.length >= 4) bytes[3] = 0x30 + dice.below(4);
      return bytes;
    case 4:
      bytes[place(bytes, dice)] = dice.one(MSGPACK_TYPES);
      return bytes;
    default: { // another wire type or field
      const at = place(bytes, dice);
      bytes[at] = dice.random() < 0.5 ? (bytes[at]! & 0xf8) | dice.below(8) : dice.below(64);
      return bytes;
    }
  }
}

/** Damage inside the payload, with lengths and compression made right again: it gets further. */
function inside(bytes: Bytes, dice: Dice, corpus: readonly Bytes[]): Bytes {
  const protobuf = bytes[9] === 2;
  const start = HEADER_BYTES + (protobuf ? 16 : 8);
  if (bytes.length <= start) return bytes;
  const view = new DataView(bytes.buffer);
  const stored = view.getUint32(protobuf ? 20 : 12, true);
  const end = Math.min(start + stored, bytes.length);
  const lz4 = !protobuf && bytes[8] === 1;
  let payload = bytes.slice(start, end);
  if (lz4) {
    const inflated = view.getUint32(16, true);
    if (inflated > 1 << 22) return bytes;
    payload = tryInflate(payload, inflated);
  }
  if (payload.length === 0) return bytes;
  payload = dice.one([flipBits, setBytes, splice, confuseTypes, lieOfLength])(
    payload,
    dice,
    corpus,
  );
  const block = lz4 ? compressLz4(payload) : payload;
  const made = concat(bytes.subarray(0, start), block, bytes.subarray(end));
  const lengths = new DataView(made.buffer);
  lengths.setUint32(protobuf ? 20 : 12, block.length, true);
  lengths.setUint32(protobuf ? 24 : 16, protobuf ? 0 : payload.length, true);
  return made;
}

function tryInflate(block: Bytes, size: number): Bytes {
  try {
    return inflateLz4(block, size);
  } catch {
    return block; // damaged before
  }
}

/** All ways, by name. */
export const MUTATIONS: Readonly<Record<string, Mutation>> = {
  flipBits,
  setBytes,
  cut,
  lieOfLength,
  splice,
  confuseTypes,
  inside,
};
const NAMES = Object.keys(MUTATIONS);

/** A damaged packet, and what was done to it. */
export interface Mutant {
  readonly bytes: Bytes;
  /** What it was made of. */
  readonly good: Bytes;
  /** Which good packet, and the ways in order. */
  readonly how: string;
}

/**
 * Damages one of the good packets, one to three times.
 *
 * @param corpus good packets
 * @param random in [0, 1)
 */
export function mutant(corpus: readonly Bytes[], random: () => number): Mutant {
  const choices = dice(random);
  const which = choices.below(corpus.length);
  const good = corpus[which]!;
  let bytes = good.slice();
  const names = [];
  for (let n = choices.one([1, 1, 1, 2, 2, 3]); n > 0 && bytes.length > 0; n--) {
    const name = choices.one(NAMES);
    names.push(name);
    bytes = MUTATIONS[name]!(bytes, choices, corpus);
  }
  return { bytes, good, how: `packet ${which}, ${names.join(", ")}` };
}
