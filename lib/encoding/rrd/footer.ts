/**
 * The footer that files of SDK 0.28 and later have behind their end marker: an index of the file,
 * then a trailer with its place and its hash.
 *
 * @module
 */
import { InvalidMessage } from "../../base/errors.ts";
import { u32 } from "../../base/little_endian.ts";
import { Xxh32, xxh32 } from "./xxh32.ts";
import { plural } from "../../base/plural.ts";

/** Length of the trailer in bytes. */
export const TRAILER_BYTES = 32;

/** The seed of Rerun's hash of a footer. */
const SEED = 7_850_921;
const MAGIC = new TextEncoder().encode("RRF2FOOT");

/** Whether a trailer begins here, by its magic alone. */
export function isTrailer(bytes: Uint8Array, at: number): boolean {
  const magic = at + 20;
  if (magic + MAGIC.length > bytes.length) return false;
  return MAGIC.every((byte, i) => bytes[magic + i] === byte);
}

/**
 * Compares a footer with its trailer.
 *
 * @param bytes the footer's own bytes, then its trailer
 * @param starts where the footer may say that it begins, counted from the beginning of the file, or
 * of its stream if `cat` has put several files into one
 * @throws {InvalidMessage} if the two do not fit together
 */
export function checkFooter(bytes: Uint8Array, starts: readonly number[]): void {
  const length = bytes.length - TRAILER_BYTES;
  if (!isTrailer(bytes, length)) throw new InvalidMessage("A footer without its trailer");
  const entries = u32(bytes, length + 28);
  if (entries !== 1) {
    throw new InvalidMessage(`A footer of ${plural(entries, "entry", "entries")} instead of 1`);
  }
  const declared = u64(bytes, length + 8);
  if (declared !== length) {
    throw new InvalidMessage(
      `A footer of ${plural(length, "byte")} whose trailer says ${declared}`,
    );
  }
  if (length > 0 && !starts.includes(u64(bytes, length))) {
    throw new InvalidMessage("A footer whose trailer says that it is elsewhere");
  }
  if (xxh32(bytes.subarray(0, length), SEED) !== u32(bytes, length + 16)) {
    throw new InvalidMessage("A footer that differs from its checksum");
  }
}

/** The checksum of a footer, which is given in pieces. */
export function footerHash(pieces: readonly Uint8Array[]): number {
  const hash = new Xxh32(SEED);
  for (const piece of pieces) hash.update(piece);
  return hash.value;
}

/**
 * Makes the trailer behind a footer, the last bytes of the file.
 *
 * @param start where the footer begins, in bytes from the beginning of the file
 * @param length of the footer in bytes
 * @param hash of the footer
 */
export function encodeTrailer(start: number, length: number, hash: number): Uint8Array {
  const bytes = new Uint8Array(TRAILER_BYTES);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(start), true);
  view.setBigUint64(8, BigInt(length), true);
  view.setUint32(16, hash, true);
  bytes.set(MAGIC, 20);
  view.setUint32(28, 1, true);
  return bytes;
}

function u64(bytes: Uint8Array, at: number): number {
  return u32(bytes, at + 4) * 2 ** 32 + u32(bytes, at);
}
