/**
 * Memory for packets that are not whole yet: pieces of two sizes, cut from slabs that are given
 * back to the system when none of their pieces is used.
 *
 * When pieces were taken one by one from the runtime's allocator, a gigabyte of free ones stayed
 * with the process on Deno for as long as the last one was in use.
 *
 * @module
 */
import { freeMemory } from "./free_memory.ts";

/** Bytes of a later piece, the size of a large read. */
export const PIECE_BYTES: number = 256 * 1024;
/**
 * Bytes of the first piece of a packet: enough for the small packets of SDKs, and too little to
 * gain much by attacking with packets that are never finished.
 */
export const FIRST_BYTES: number = 64 * 1024;
/**
 * Bytes of a slab: the C library asks the system for blocks above 32 MiB, which take memory only
 * where they are used.
 */
const SLAB_BYTES = 40 * 1024 * 1024;
/**
 * A slab without pieces in use is kept for the next ones if no more than so many of its bytes were
 * ever used.
 */
const MAX_KEPT_BYTES = 16 * 1024 * 1024;
/**
 * Kept at most while nothing is received, in bytes: a slab is kept then too, because Bun clears a
 * new one and so puts all of its 40 MiB in use. To see it: after `let a = new ArrayBuffer(40 <<
 * 20); new Uint8Array(a).fill(1, 0, 1e5); a.transfer(0)` another `new ArrayBuffer(40 << 20)` raises
 * `process.memoryUsage.rss()` by 40 MiB on Bun, and not on Deno.
 */
const MAX_KEPT_IDLE_BYTES = 2 * 1024 * 1024;

interface Slab {
  readonly buffer: ArrayBuffer;
  readonly taken: Uint8Array;
  used: number;
  /** Only pieces before this one have ever been used. */
  touched: number;
}

/** Hands out pieces, of the free ones the foremost. */
export class PieceSlabs {
  readonly #slabs: Slab[] = [];

  /** @param pieceBytes of each; a power of two */
  constructor(readonly pieceBytes: number) {}

  /** Bytes of all slabs. */
  get bytes(): number {
    return this.#slabs.length * SLAB_BYTES;
  }

  /** Bytes of pieces that were taken and not given back. */
  get bytesInUse(): number {
    return this.pieceBytes * this.#slabs.reduce((sum, { used }) => sum + used, 0);
  }

  /** Takes a piece; its contents are arbitrary. */
  take(): Uint8Array<ArrayBuffer> {
    const { pieceBytes } = this;
    const slab = this.#slabs.find(({ used, taken }) => used < taken.length) ?? this.#add();
    const index = slab.taken.indexOf(0);
    slab.taken[index] = 1;
    slab.used++;
    slab.touched = Math.max(slab.touched, index + 1);
    return new Uint8Array(slab.buffer, index * pieceBytes, pieceBytes);
  }

  /**
   * Takes back a piece that nobody uses any more.
   *
   * @returns whether it is a piece of these slabs
   */
  release({ buffer, byteOffset }: Uint8Array): boolean {
    const at = this.#slabs.findIndex((slab) => slab.buffer === buffer);
    if (at < 0) return false;
    const slab = this.#slabs[at]!;
    slab.taken[byteOffset / this.pieceBytes] = 0;
    slab.used--;
    const isWorthKeeping = this.#slabs.length === 1 && this.#hasFew(slab, MAX_KEPT_BYTES);
    if (slab.used === 0 && !isWorthKeeping) this.#free(slab);
    return true;
  }

  /** Gives slabs without pieces in use back to the system, except one that hardly takes memory. */
  clear(): void {
    for (const slab of [...this.#slabs]) {
      if (slab.used === 0 && !this.#hasFew(slab, MAX_KEPT_IDLE_BYTES)) this.#free(slab);
    }
  }

  #hasFew({ touched }: Slab, bytes: number): boolean {
    return touched * this.pieceBytes <= bytes;
  }

  #free(slab: Slab): void {
    this.#slabs.splice(this.#slabs.indexOf(slab), 1);
    freeMemory(slab.buffer);
  }

  #add(): Slab {
    const buffer = new ArrayBuffer(SLAB_BYTES);
    const taken = new Uint8Array(SLAB_BYTES / this.pieceBytes);
    const slab = { buffer, taken, used: 0, touched: 0 };
    this.#slabs.push(slab);
    return slab;
  }
}

/** Slabs of 64 KiB pieces of this process, for the beginnings of packets that are not whole. */
export const FIRST_PIECES: PieceSlabs = new PieceSlabs(FIRST_BYTES);

/** Slabs of 256 KiB pieces of this process, for the later parts of large packets. */
export const PIECES: PieceSlabs = new PieceSlabs(PIECE_BYTES);

/** Gives unused slabs of both sizes back to the system. */
export function clearPieces(): void {
  FIRST_PIECES.clear();
  PIECES.clear();
}
