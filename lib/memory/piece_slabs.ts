/**
 * Memory for what is not whole yet: pieces of two sizes, in slabs that are given back to the system.
 *
 * Taken one by one from the runtime's allocator, a gigabyte of them stayed with the process on Deno
 * for as long as one at its end was in use.
 *
 * @module
 */
import { freeMemory } from "./free_memory.ts";

/** Of a piece that follows others; that of large reads. */
export const PIECE_BYTES: number = 256 * 1024;
/** Of one that others may follow: more than the small packets of SDKs, and not worth an attacker's while. */
export const FIRST_BYTES: number = 64 * 1024;
/** Of a slab: above 32 MiB the C library asks the system for it, and memory comes with its use. */
const SLAB_BYTES = 40 * 1024 * 1024;
/** Of a slab that may have been used and is kept for whoever comes next. */
const MAX_KEPT_BYTES = 16 * 1024 * 1024;
/** Of a slab that is kept while nobody receives: Bun clears the next one, which puts all 40 MiB in use. */
const MAX_KEPT_IDLE_BYTES = 2 * 1024 * 1024;

interface Slab {
  readonly buffer: ArrayBuffer;
  readonly taken: Uint8Array;
  used: number;
  /** Pieces before this one have been used. */
  touched: number;
}

/** Hands out pieces, the foremost that are free. */
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

  /** A piece; what is in it is arbitrary. */
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
   * Takes one back that nobody uses any more.
   *
   * @returns whether it is one of these
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

  /** Lets go of what is unused, if it is worth it. */
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

/** Of both, lets go of what is unused. */
export function clearPieces(): void {
  FIRST_PIECES.clear();
  PIECES.clear();
}
