/**
 * Keeps what was written last in memory, so that readers close behind the writer need not read the
 * disk.
 *
 * @module
 */

/**
 * Bytes that are kept over all files: a second of what hundreds of recordings write. A reader that is
 * further behind reads the disk, and falls behind more.
 */
const LIMIT_BYTES = 16 * 1024 * 1024;
/** Bytes of a block; longer writes are cut, since holding a part of a block keeps all of it. */
const BLOCK_BYTES = 512 * 1024;

/** A copy of a write. */
interface Block {
  readonly file: Tail;
  /** Where it begins in the file. */
  readonly at: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** The end of one file, in blocks without gaps. */
interface Tail {
  readonly blocks: Block[];
  /** Length of the file. */
  size: number;
  /** Up to where the reader has come. */
  read: number;
  /** Whether the reader keeps up with the writer: only for such a reader anything is kept. */
  isFollowed: boolean;
}

/**
 * The last bytes of files that are being written; what is not kept here must be read from the disk.
 */
export class RecentBytes {
  readonly #limitBytes: number;
  readonly #tails = new Map<string, Tail>();
  /** The blocks of all files, the oldest first. */
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

  /** Adds an empty file. */
  begin(id: string): void {
    this.#tails.set(id, { blocks: [], size: 0, read: -1, isFollowed: false });
  }

  /** Takes what was written to the end of a file, and copies it if a reader keeps up. */
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
   * Gives bytes of a file from one block; they are never written to again.
   *
   * @param at where they begin
   * @param maxBytes how many at most
   * @returns nothing if they are not kept
   */
  read(id: string, at: number, maxBytes: number): Uint8Array<ArrayBuffer> | undefined {
    const block = this.#tails.get(id)?.blocks.findLast((block) => block.at <= at);
    const found = block?.bytes.subarray(at - block.at, at - block.at + maxBytes);
    if (found === undefined || found.length === 0) return undefined;
    this.reached(id, at + found.length);
    return found;
  }

  /** Says up to where a reader has come. */
  reached(id: string, at: number): void {
    const tail = this.#tails.get(id);
    if (tail === undefined) return;
    tail.read = Math.max(tail.read, at);
    if (tail.read >= tail.size) tail.isFollowed = true;
  }

  /** Forgets a file that nobody reads any more. */
  drop(id: string): void {
    const tail = this.#tails.get(id);
    this.#tails.delete(id);
    for (const block of tail?.blocks ?? []) this.#remove(block);
  }

  /**
   * Forgets a block; if its reader had not come to it, that reader is too slow to find anything,
   * and nothing is kept for it any more.
   */
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
