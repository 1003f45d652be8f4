import { concat } from "@std/bytes";

/**
 * Joins small pieces, and splits large ones so that progress can be measured.
 *
 * @param pieces the pieces, which are taken as they are needed
 * @param bytes the most bytes that are given at once
 */
export function* gathered(pieces: Iterable<Uint8Array>, bytes: number): Generator<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let size = 0;
  for (const piece of pieces) {
    if (size > 0 && size + piece.length > bytes) {
      yield concat(waiting);
      [waiting, size] = [[], 0];
    }
    if (piece.length < bytes) {
      waiting.push(piece);
      size += piece.length;
      continue;
    }
    for (let at = 0; at < piece.length; at += bytes) yield piece.subarray(at, at + bytes);
  }
  if (size > 0) yield concat(waiting);
}
