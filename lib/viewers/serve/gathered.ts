import { joined } from "../../base/joined.ts";

/**
 * Puts small pieces together, and gives large ones in parts, so that progress shows.
 *
 * @param pieces taken as they are needed
 * @param bytes length of what is given at once, at most
 */
export function* gathered(pieces: Iterable<Uint8Array>, bytes: number): Generator<Uint8Array> {
  let waiting: Uint8Array[] = [];
  let size = 0;
  for (const piece of pieces) {
    if (size > 0 && size + piece.length > bytes) {
      yield joined(waiting);
      [waiting, size] = [[], 0];
    }
    if (piece.length < bytes) {
      waiting.push(piece);
      size += piece.length;
      continue;
    }
    for (let at = 0; at < piece.length; at += bytes) yield piece.subarray(at, at + bytes);
  }
  if (size > 0) yield joined(waiting);
}
