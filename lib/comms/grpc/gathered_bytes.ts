/**
 * Puts pieces together whose number nobody knows beforehand.
 *
 * @module
 */
import { freeMemory } from "../../memory/free_memory.ts";

/**
 * Up to so many bytes, pieces are kept as they came: Bun keeps the memory of freed segments for a while,
 * and a flood of compressed messages would leave more of them than all its messages may hold.
 */
const FEW_BYTES = 32 * 1024 * 1024;

/**
 * Bytes of a segment: so many that every system takes them as pages of their own, which it gives as
 * they are written, and has back as soon as the segment is freed.
 */
const SEGMENT_BYTES = 64 * 1024 * 1024;

/**
 * Gathers pieces into one, which takes hardly more memory than their bytes: what was copied is freed
 * at once, and small pieces, whose freed memory the system would not get back, become large ones on the
 * way.
 *
 * @example
 * ```ts
 * import { GatheredBytes } from "./gathered_bytes.ts";
 * import { assertEquals } from "@std/assert";
 *
 * const gathered = new GatheredBytes();
 * gathered.add(Uint8Array.of(1, 2));
 * gathered.add(Uint8Array.of(3));
 * assertEquals(await gathered.join(1), Uint8Array.of(0, 1, 2, 3));
 * ```
 */
export class GatheredBytes {
  #pieces: Uint8Array[] = [];
  #length = 0;
  /** The free rest of the last segment. */
  #room: Uint8Array | undefined;

  /** Bytes that were added. */
  get length(): number {
    return this.#length;
  }

  /**
   * Adds a piece behind the others.
   *
   * @param piece whose buffer nobody else uses: it may be freed
   */
  add(piece: Uint8Array): void {
    this.#length += piece.length;
    if (this.#length <= FEW_BYTES) {
      this.#pieces.push(piece);
      return;
    }
    let rest = piece;
    while (rest.length > 0) {
      if (this.#room === undefined || this.#room.length === 0) {
        this.#room = new Uint8Array(SEGMENT_BYTES);
        this.#pieces.push(this.#room);
      }
      const part = rest.subarray(0, this.#room.length);
      this.#room.set(part);
      this.#room = this.#room.subarray(part.length);
      rest = rest.subarray(part.length);
    }
    freeMemory(piece.buffer);
  }

  /**
   * Gives all of it in one piece, and forgets it.
   *
   * @param headroom bytes before it, which are 0
   * @param pause called when a segment was freed and others follow, for systems that get freed memory
   * back a little later; where it throws, what is left is still held
   */
  async join(headroom: number, pause?: () => Promise<void>): Promise<Uint8Array> {
    const whole = new Uint8Array(headroom + this.#length);
    let at = headroom;
    for (const piece of this.#pieces) {
      const part = piece.subarray(0, whole.length - at);
      whole.set(part, at);
      at += part.length;
      const isSegment = part.length === SEGMENT_BYTES;
      freeMemory(piece.buffer);
      if (isSegment && at < whole.length) await pause?.();
    }
    this.#forget();
    return whole;
  }

  /** Frees all of it. */
  drop(): void {
    for (const { buffer } of this.#pieces) freeMemory(buffer);
    this.#forget();
  }

  #forget(): void {
    this.#pieces = [];
    this.#length = 0;
    this.#room = undefined;
  }
}
