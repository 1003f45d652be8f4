/** Damaged recordings, and what recovering must make of them. */
import { Buffer } from "node:buffer";
import type { RrdMessage } from "../../lib/recordings/mod.ts";
import { caseRandom, randomPieces } from "../random.ts";
import { RECORDINGS, scan } from "../recordings/inputs.ts";

/** A recording, with its messages as text by where they are. */
export interface Original {
  readonly name: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly messages: readonly RrdMessage[];
  readonly texts: ReadonlySet<string>;
  readonly places: ReadonlySet<string>;
}

/** A stretch of the original, and where it came to be. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
  readonly at: number;
}

/** A damaged copy. */
export interface Damaged {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly stretches: readonly Stretch[];
  /** Before this the original is untouched, in bytes. */
  readonly first: number;
}

/** What came of cases. */
export interface RecoverTally {
  cases: number;
  whole: number;
  lost: number;
  /** Messages with other bytes in them that nothing tells, as RRD has no checksums. */
  unseen: number;
  slowestMs: number;
}

/** Nothing yet. */
export function newRecoverTally(): RecoverTally {
  return { cases: 0, whole: 0, lost: 0, unseen: 0, slowestMs: 0 };
}

export const ORIGINALS: readonly Original[] = RECORDINGS.map(([name, bytes]) => {
  const messages = scan([bytes]).parts.filter((part) => part.kind === "message");
  return {
    name,
    bytes,
    messages,
    texts: new Set(messages.map((message) => text(bytes, message))),
    places: new Set(messages.map(({ offset, bytes }) => `${offset} ${bytes}`)),
  };
});

/**
 * Damages a recording and recovers it.
 *
 * @param seed of the run
 * @param index of the case; recordings take turns
 * @param tally is added to
 * @throws {Error} if a message is lost, made up, or said to be where it is not
 */
export function runRecoverCase(seed: number, index: number, tally: RecoverTally): void {
  const random = caseRandom(seed, index);
  const original = ORIGINALS[index % ORIGINALS.length]!;
  const damaged = damage(original.bytes, random);
  const start = performance.now();
  const { parts, error } = scan(randomPieces(damaged.bytes, random), { recover: true });
  tally.slowestMs = Math.max(tally.slowestMs, performance.now() - start);
  const fail = (what: string): never => {
    throw new Error(`seed ${seed}, case ${index}, ${original.name}: ${what}`);
  };
  if (error !== undefined) fail(`ended with ${error}`);
  let at = 0;
  for (const part of parts) {
    if (part.offset !== at) fail(`a part is at ${part.offset} instead of ${at}`);
    at += part.bytes;
  }
  if (at !== damaged.bytes.length) fail(`${at} of ${damaged.bytes.length} bytes are told of`);
  const found = parts.filter((part) => part.kind === "message");
  const places = new Set(found.map(({ offset, bytes }) => `${offset} ${bytes}`));
  for (const message of original.messages) {
    const isBefore = message.offset + message.bytes <= damaged.first;
    const isFound = places.has(`${message.offset} ${message.bytes}`);
    if (isBefore && !isFound) fail(`the message at ${message.offset} is lost`);
  }
  for (const message of found) {
    if (original.texts.has(text(damaged.bytes, message))) continue;
    if (!isInPlace(message, original, damaged)) fail(`the message at ${message.offset} is made up`);
    tally.unseen++;
  }
  tally.cases++;
  tally.whole += found.length;
  tally.lost += original.messages.length - Math.min(found.length, original.messages.length);
}

/**
 * Whether it begins where one of the original came to be and is as long: bytes in it were flipped, or
 * just as many taken out as others came in, such as the end of the next message for its own.
 */
function isInPlace(
  { offset, bytes }: RrdMessage,
  { places }: Original,
  { stretches }: Damaged,
): boolean {
  return stretches.some(({ from, to, at }) => {
    const moved = offset - at + from;
    return moved >= from && moved < to && places.has(`${moved} ${bytes}`);
  });
}

function text(bytes: Uint8Array, { offset, bytes: length }: { offset: number; bytes: number }) {
  return Buffer.from(bytes.buffer, bytes.byteOffset + offset, length).toString("latin1");
}

/** One to three times: flips bytes, cuts the tail, takes a range out, doubles one or fills it. */
export function damage(original: Uint8Array<ArrayBuffer>, random: () => number): Damaged {
  let bytes = original;
  let stretches: Stretch[] = [{ from: 0, to: bytes.length, at: 0 }];
  let first = bytes.length;
  const below = (limit: number) => Math.floor(random() * limit);
  for (let n = 1 + below(3); n > 0; n--) {
    const from = below(bytes.length);
    const to = Math.min(bytes.length, from + 1 + Math.floor(random() ** 3 * 5000));
    first = Math.min(first, from);
    const kind = below(5);
    if (kind === 0 || kind === 4) {
      bytes = bytes.slice();
      const places = kind === 0
        ? Array.from({ length: 5 }, () => from + below(to - from))
        : Array.from({ length: to - from }, (_, i) => from + i);
      const fill = below(2) * 255;
      for (const at of places) bytes[at] = kind === 4 ? fill : bytes[at]! ^ (1 << below(8));
      continue;
    }
    const tail = kind === 1 ? bytes.length : kind === 2 ? to : from;
    const head = kind === 3 ? to : from;
    const shift = head - tail;
    bytes = new Uint8Array(Buffer.concat([bytes.subarray(0, head), bytes.subarray(tail)]));
    stretches = [
      ...stretches.map((stretch) => cut(stretch, 0, head, 0)),
      ...stretches.map((stretch) => cut(stretch, tail, Infinity, shift)),
    ].filter(({ from, to }) => from < to);
    if (bytes.length === 0) break;
  }
  return { bytes, stretches, first };
}

/** What of a stretch lies between two places of the copy, moved. */
function cut({ from, to, at }: Stretch, start: number, end: number, shift: number): Stretch {
  const left = Math.max(0, start - at);
  const right = Math.max(left, Math.min(to - from, end - at));
  return { from: from + left, to: from + right, at: at + left + shift };
}
