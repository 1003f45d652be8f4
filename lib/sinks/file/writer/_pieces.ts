/**
 * Gathers what waits to be written to one file: small messages in chunks, large ones as they are.
 *
 * @module
 */
import { holdBytes } from "../../../memory/buffer_pool.ts";
import type { Tally } from "../../../base/tally.ts";
import { CHUNK_BYTES, MIN_CHUNK_BYTES, WHOLE_BYTES, type WriteBudget } from "./write_budget.ts";

/** From this length on, in bytes, copying costs more than a write of its own. */
const DIRECT_BYTES = 256 * 1024;

/** Whole messages that are written at once. */
export interface Piece extends Tally {
  /** What to write. */
  readonly data: Uint8Array;
  /** Whether they must be compressed first. */
  readonly isRaw: boolean;
  /** Whether a message of SDK 0.19 or later is among them. */
  readonly modern: boolean;
  /** Ends of headers and messages that do not count. */
  readonly uncounted: readonly number[];
  /** How many messages of any kind there are. */
  readonly total: number;
  /** Indices of those that do not count. */
  readonly repeats: readonly number[];
}

/** How a message is counted. */
export type PieceKind = Pick<Piece, "isRaw" | "modern"> & {
  /** Whether it counts; `false` for a message that is in an earlier part already. */
  readonly counts: boolean;
  /** Whether it is a header, and no message. */
  readonly isHeader?: boolean;
};

interface Open {
  /** Called when the memory of the piece is no longer used. */
  readonly release: (() => void) | undefined;
  /** Bytes of memory that it keeps alive besides its own. */
  readonly beside: number;
  data: Uint8Array;
  /** Length of the data in bytes. */
  size: number;
  isRaw: boolean;
  modern: boolean;
  messages: number;
  bytes: number;
  readonly uncounted: number[];
  total: number;
  readonly repeats: number[];
}

/** A large message that stays where it is until it is written. */
function held(data: Uint8Array): Pick<Open, "data" | "release" | "beside"> {
  const release = holdBytes(data);
  // A message that is held keeps its whole buffer alive.
  const beside = release === undefined ? 0 : data.buffer.byteLength - data.length;
  return { data, release, beside };
}

/** The pieces that wait for one file, first in, first out. */
export class Pieces {
  readonly #budget: WriteBudget;
  readonly #sealed: Open[] = [];
  /** The last piece, while it is being filled. */
  #open: Open | undefined;
  /** The piece that was taken and is being written. */
  #taken: Open | undefined;
  /** Gives back the memory of a piece that was forgotten while it was being written. */
  #writing: (() => void) | undefined;
  #waiting = 0;
  #written: PromiseWithResolvers<void> | undefined;
  /** Bytes of the next chunk: more if the last one was too small, less if it stayed nearly empty. */
  #chunkBytes = MIN_CHUNK_BYTES;

  constructor(budget: WriteBudget) {
    this.#budget = budget;
  }

  /** Whether there is nothing to take. */
  get isEmpty(): boolean {
    return this.#open === undefined && this.#sealed.length === 0;
  }

  /** Resolves when the piece is written, or forgotten, that is being written or comes next. */
  get written(): Promise<void> {
    this.#written ??= Promise.withResolvers();
    return this.#written.promise;
  }

  /** Bytes that were added and are not written. */
  get waitingBytes(): number {
    return this.#waiting;
  }

  /** Messages that were added and are not written. */
  get waitingMessages(): number {
    const sealed = this.#sealed.reduce((sum, { messages }) => sum + messages, 0);
    return sealed + (this.#open?.messages ?? 0) + (this.#taken?.messages ?? 0);
  }

  /**
   * Adds a message, or a header, which does not count; copies small ones, and holds on to large
   * ones.
   *
   * @param bytes of the message
   * @param kind how it is counted
   * @param rest its second part, if it has two; then all of it is copied: to write each part by
   * itself takes longer
   */
  add(
    bytes: Uint8Array,
    { isRaw, modern, counts, isHeader = false }: PieceKind,
    rest?: Uint8Array,
  ): void {
    const length = bytes.length + (rest?.length ?? 0);
    this.#waiting += length;
    if (length >= DIRECT_BYTES) {
      this.#budget.hasWhole = true;
      this.#seal();
      const { data, release, beside } = rest === undefined
        ? held(bytes)
        : this.#copied(bytes, rest);
      this.#budget.hold(length + beside);
      const counted = { messages: counts ? 1 : 0, bytes: counts ? length : 0 };
      const uncounted = counts ? [] : [length];
      const repeats = counts ? [] : [0];
      const kind = { isRaw, modern, uncounted, total: 1, repeats, ...counted };
      this.#sealed.push({ release, beside, data, size: length, ...kind });
      return;
    }
    this.#budget.hold(length);
    let open = this.#open;
    if (open === undefined || open.size + length > open.data.length || open.isRaw !== isRaw) {
      if (open?.isRaw === isRaw) this.#chunkBytes = Math.min(2 * this.#chunkBytes, CHUNK_BYTES);
      while (this.#chunkBytes < length) this.#chunkBytes *= 2;
      if (open !== undefined && this.#waiting >= WHOLE_BYTES) this.#budget.hasWhole = true;
      this.#seal();
      const chunk = this.#budget.takeChunk(this.#chunkBytes);
      const release = () => this.#budget.releaseChunk(chunk);
      open = {
        release,
        beside: 0,
        data: chunk,
        size: 0,
        isRaw,
        modern: false,
        messages: 0,
        bytes: 0,
        uncounted: [],
        total: 0,
        repeats: [],
      };
      this.#open = open;
    }
    open.data.set(bytes, open.size);
    if (rest !== undefined) open.data.set(rest, open.size + bytes.length);
    open.size += length;
    open.modern ||= modern;
    if (!counts) open.uncounted.push(open.size);
    if (isHeader) return;
    if (!counts) open.repeats.push(open.total);
    open.total++;
    if (!counts) return;
    open.messages++;
    open.bytes += length;
  }

  /** A large message in two parts, copied into a chunk of its own. */
  #copied(front: Uint8Array, rest: Uint8Array): Pick<Open, "data" | "release" | "beside"> {
    const length = front.length + rest.length;
    const chunk = this.#budget.takeChunk(
      length > CHUNK_BYTES ? length : 2 ** Math.ceil(Math.log2(length)),
    );
    chunk.set(front);
    chunk.set(rest, front.length);
    const release = () => this.#budget.releaseChunk(chunk);
    return { data: chunk.subarray(0, length), release, beside: chunk.length - length };
  }

  /** Takes the next piece to be written; one at a time, until `done` or `clear`. */
  take(): Piece | undefined {
    if (this.#sealed.length === 0) {
      const { size = Infinity } = this.#open ?? {};
      if (size < this.#chunkBytes / 4) {
        this.#chunkBytes = Math.max(this.#chunkBytes / 2, MIN_CHUNK_BYTES);
      }
      this.#seal();
    }
    return this.#taken = this.#sealed.shift();
  }

  /** All pieces that wait, without the taken one; they stay until `clear`. */
  get waiting(): readonly Piece[] {
    this.#seal();
    return this.#sealed;
  }

  /** Says that the taken piece was written. */
  done(): void {
    const taken = this.#taken!;
    this.#taken = undefined;
    this.#drop(taken);
  }

  /**
   * Forgets all that waits; the taken piece only if asked to.
   *
   * @returns what was forgotten
   */
  clear(withTaken: boolean): Tally {
    this.#seal();
    const gone = this.#sealed.splice(0);
    if (withTaken && this.#taken !== undefined) {
      this.#writing = this.#taken.release;
      gone.push({ ...this.#taken, release: undefined });
      this.#taken = undefined;
    }
    for (const piece of gone) this.#drop(piece);
    return {
      messages: gone.reduce((sum, { messages }) => sum + messages, 0),
      bytes: gone.reduce((sum, { bytes }) => sum + bytes, 0),
    };
  }

  /**
   * Gives back the memory of a piece that was taken and then forgotten, once nothing is being
   * written any more.
   */
  releaseWritten(): void {
    this.#writing?.();
    this.#writing = undefined;
  }

  #drop({ release, beside, size }: Open): void {
    this.#written?.resolve();
    this.#written = undefined;
    release?.();
    this.#budget.release(size + beside);
    this.#waiting -= size;
  }

  #seal(): void {
    const open = this.#open;
    if (open === undefined) return;
    open.data = open.data.subarray(0, open.size);
    this.#open = undefined;
    this.#sealed.push(open);
  }
}
