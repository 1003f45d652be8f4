/**
 * What was written last, in memory: who reads right behind the writer needs no disk for it.
 *
 * @module
 */

/** Over all files, in bytes. */
const LIMIT_BYTES = 8 * 1024 * 1024;
/** Whoever holds a part of a block holds all of it: longer writes are cut. */
const BLOCK_BYTES = 512 * 1024;

/** A copy of what was written at once. */
interface Block {
  readonly file: Tail;
  /** Where it stands in the file. */
  readonly at: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The end of one file: blocks that follow one another. */
interface Tail {
  readonly blocks: Block[];
  /** Length of the file. */
  size: number;
  /** Up to where somebody has read. */
  read: number;
  /** Whether who reads it keeps up: what is written is only kept for those. */
  isFollowed: boolean;
}

/** The last bytes of files that are being written; where they are not here, they are on the disk. */
export class RecentBytes {
  readonly #limitBytes: number;
  readonly #tails = new Map<string, Tail>();
  /** Of all files, the oldest first. */
  readonly #blocks = new Set<Block>();
  #bytes = 0;

  /** @param limitBytes over all files */
  constructor(limitBytes: number = LIMIT_BYTES) {
    this.#limitBytes = limitBytes;
  }

  /** Length of what is kept, in bytes. */
  get bytes(): number {
    return this.#bytes;
  }

  /** A file is begun, which is empty. */
  begin(id: string): void {
    this.#tails.set(id, { blocks: [], size: 0, read: -1, isFollowed: false });
  }

  /** Something was written to the end of a file; it is copied where somebody keeps up with it. */
  add(id: string, bytes: Uint8Array): void {
    const tail = this.#tails.get(id);
    if (tail === undefined) return;
    const begin = tail.size;
    tail.size += bytes.length;
    for (let at = 0; at < bytes.length && tail.isFollowed; at += BLOCK_BYTES) {
      const block = { file: tail, at: begin + at, bytes: bytes.slice(at, at + BLOCK_BYTES) };
      tail.blocks.push(block);
      this.#blocks.add(block);
      this.#bytes += block.bytes.length;
      for (const oldest of this.#blocks) {
        if (this.#bytes <= this.#limitBytes) break;
        this.#forget(oldest);
      }
    }
  }

  /**
   * Bytes of a file, as far as they stand together here; they are not written to any more.
   *
   * @param at where they begin
   * @param maxBytes how many at most
   * @returns nothing where they are not here
   */
  read(id: string, at: number, maxBytes: number): Uint8Array<ArrayBuffer> | undefined {
    const block = this.#tails.get(id)?.blocks.findLast((block) => block.at <= at);
    const found = block?.bytes.subarray(at - block.at, at - block.at + maxBytes);
    if (found === undefined || found.length === 0) return undefined;
    this.reached(id, at + found.length);
    return found;
  }

  /** Somebody has read a file up to here, and may go on. */
  reached(id: string, at: number): void {
    const tail = this.#tails.get(id);
    if (tail === undefined) return;
    tail.read = Math.max(tail.read, at);
    if (tail.read >= tail.size) tail.isFollowed = true;
  }

  /** Nobody reads a file any more. */
  drop(id: string): void {
    const tail = this.#tails.get(id);
    this.#tails.delete(id);
    for (const block of tail?.blocks ?? []) this.#remove(block);
  }

  /** Who reads more slowly than is written would never find anything: then nothing is kept. */
  #forget(block: Block): void {
    const { file } = block;
    const isUnread = block.at + block.bytes.length > file.read;
    for (const gone of file.blocks.splice(0, isUnread ? Infinity : 1)) this.#remove(gone);
    if (isUnread) file.isFollowed = false;
  }

  #remove(block: Block): void {
    if (this.#blocks.delete(block)) this.#bytes -= block.bytes.length;
  }
}
