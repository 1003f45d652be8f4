import { type BufferPool, isReused } from "./buffer_pool.ts";
import { freeMemory } from "./free_memory.ts";
import { FIRST_BYTES, FIRST_PIECES, PIECE_BYTES, PIECES } from "./piece_slabs.ts";

/** No memory at all: small packets mostly lie whole in a read, and need none. */
const NOTHING: Uint8Array<ArrayBuffer> = new Uint8Array(0);
/**
 * From so many missing bytes on, reading directly into the item is worth a system call of its own.
 */
const LEAST_ROOM = 32 * 1024;
/**
 * The largest first piece: a peer that has sent packets of this size before is believed to send
 * another one.
 */
const TRUSTED_BYTES = 4 * 1024 * 1024;

/** Numbers of so many bytes can be read where they lie only at multiples of it. */
const NUMBER_BYTES = 8;

/**
 * How many bytes to leave free before an item, so that data inside it begins at a multiple of 8 and
 * numbers are read where they lie. Copying them takes as long as receiving them.
 *
 * @param offset of that data in the item
 */
export function leadFor(offset: number): number {
  return (NUMBER_BYTES - offset % NUMBER_BYTES) % NUMBER_BYTES;
}

/**
 * Puts together bytes that arrive in pieces, taking memory as they come and never on their word.
 *
 * The first piece is as large as the largest item before it (64 KiB to 4 MiB), those that follow have
 * 256 KiB: so of a steady stream each straddling item is copied once, a larger one twice.
 */
export class Assembler {
  /** Pieces that are full. */
  #pieces: Uint8Array<ArrayBuffer>[] = [];
  /** Bytes in the full pieces. */
  #before = 0;
  /** The piece that is being filled, and how far it is. */
  #buffer = NOTHING;
  #filled = 0;
  #trusted = FIRST_BYTES;
  readonly #pool: BufferPool | undefined;
  /** What the last `take` handed over, while it counts as used by us. */
  #given = NOTHING;

  readonly #inSlabs: boolean;

  /** Bytes left free before an item that is put together in one buffer, see {@linkcode leadFor}. */
  lead = 0;

  /**
   * @param pool where large buffers come from; without it each is a new one
   * @param inSlabs takes pieces from slabs, which only `take` and `clear` give back
   */
  constructor(pool?: BufferPool, inSlabs = false) {
    this.#pool = pool;
    this.#inSlabs = inSlabs;
  }

  /** Bytes of the item that have come. */
  get filled(): number {
    return this.#before + this.#filled;
  }

  /** Bytes of memory taken. */
  get capacity(): number {
    return this.#before + this.#buffer.length;
  }

  /**
   * Where the next bytes of the item may be put directly; nothing where it is not worth it.
   *
   * @param length how many bytes make the item whole
   */
  readInto(length: number): Uint8Array<ArrayBuffer> | undefined {
    const { filled } = this;
    if (filled === 0 || length - filled < LEAST_ROOM) return undefined;
    if (this.#filled === this.#buffer.length) this.#grow(length);
    return this.#buffer.subarray(this.#filled, length - this.#before);
  }

  /**
   * Takes bytes until `length` are here.
   *
   * @param bytes the next piece, which may lie where it belongs already
   * @param at where to go on in it, in bytes
   * @param length how many bytes make the item whole
   * @returns where it stopped in the piece
   */
  fill(bytes: Uint8Array, at: number, length: number): number {
    const end = at + Math.min(bytes.length - at, length - this.filled);
    if (bytes.buffer === this.#buffer.buffer) {
      this.#filled += end - at;
      return end;
    }
    for (let from = at; from < end;) {
      if (this.#filled === this.#buffer.length) this.#grow(length);
      const to = Math.min(end, from + this.#buffer.length - this.#filled);
      this.#buffer.set(bytes.subarray(from, to), this.#filled);
      this.#filled += to - from;
      from = to;
    }
    return end;
  }

  /** The bytes that have come, as a view. */
  view(): Uint8Array<ArrayBuffer> {
    if (this.#pieces.length > 0) this.#join();
    return this.#buffer.subarray(0, this.#filled);
  }

  /** Hands over the bytes that have come, and begins a new item. */
  take(): Uint8Array<ArrayBuffer> {
    const item = this.view();
    this.#trusted = Math.min(Math.max(this.#trusted, this.#filled), TRUSTED_BYTES);
    this.releaseTaken();
    this.#given = this.#buffer;
    this.#buffer = NOTHING;
    this.#filled = 0;
    return item;
  }

  /**
   * Drops our own use of what the last `take` handed over; to be called once those that keep it are
   * counted as its users.
   */
  releaseTaken(): void {
    if (this.#given === NOTHING) return;
    this.#pool?.release([this.#given.buffer]);
    this.#given = NOTHING;
  }

  /** Drops all pieces but the one that a read may still be filling; nothing whole comes of the rest. */
  shed(): void {
    for (const piece of this.#pieces) this.#release(piece);
    this.#begin(this.#buffer, this.#filled);
  }

  /** Drops the bytes that have come. */
  clear(): void {
    // Most often there is nothing, and this is called for each packet.
    if (this.#buffer === NOTHING) return;
    this.shed();
    this.#release(this.#buffer);
    this.#begin(NOTHING, 0);
  }

  /** Makes room for at least one byte more. */
  #grow(length: number): void {
    const { filled } = this;
    if (filled >= FIRST_BYTES) {
      this.#pieces.push(this.#buffer);
      this.#before = filled;
      const size = Math.min(length - filled, PIECE_BYTES);
      this.#buffer = this.#inSlabs && size === PIECE_BYTES ? PIECES.take() : this.#new(size);
      this.#filled = 0;
    } else {
      const size = Math.min(length, this.#trusted);
      // If more follows, this piece is given back soon.
      const isFirst = this.#inSlabs && size === FIRST_BYTES && length > size;
      const grown = isFirst
        ? FIRST_PIECES.take()
        : this.#new(size, size === length ? this.lead : 0);
      grown.set(this.#buffer);
      this.#release(this.#buffer);
      this.#buffer = grown;
    }
  }

  #join(): void {
    const { filled } = this;
    const whole = this.#new(filled, this.lead);
    let at = 0;
    for (const piece of this.#pieces) {
      whole.set(piece, at);
      at += piece.length;
      this.#release(piece);
    }
    whole.set(this.#buffer.subarray(0, this.#filled), at);
    this.#release(this.#buffer);
    this.#begin(whole, filled);
  }

  #begin(buffer: Uint8Array<ArrayBuffer>, filled: number): void {
    if (this.#pieces.length > 0) this.#pieces = [];
    this.#before = 0;
    this.#buffer = buffer;
    this.#filled = filled;
  }

  #new(bytes: number, lead = 0): Uint8Array<ArrayBuffer> {
    const size = lead + bytes;
    const taken = this.#pool?.take(size) ?? new Uint8Array(size);
    return lead === 0 ? taken : taken.subarray(lead);
  }

  /** Gives a piece back; nobody else has a view on it. */
  #release(piece: Uint8Array<ArrayBuffer>): void {
    if (isReused(piece)) this.#pool?.release([piece.buffer]);
    else if (!PIECES.release(piece) && !FIRST_PIECES.release(piece)) freeMemory(piece.buffer);
  }
}
