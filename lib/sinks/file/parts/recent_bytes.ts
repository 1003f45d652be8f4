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
/**
 * This share of it is kept where room is made: the more blocks were taken out of a set, the longer it takes
 * to find the first one that is left, so that room for one more each time would cost more than the write.
 */
const KEPT_SHARE = 15 / 16;
/** Bytes of a block; longer writes are cut, since holding a part of a block keeps all of it. */
const BLOCK_BYTES = 512 * 1024;

const NOTHING = new Uint8Array();

/** A copy of a write. */
interface Block {
  readonly file: Tail;
  /** Where it begins in the file. */
  readonly at: number;
  /** Empty once it is forgotten: its place in the list of its file may be there for longer. */
  bytes: Uint8Array<ArrayBuffer>;
}

/** The end of one file, in blocks without gaps. */
interface Tail {
  readonly blocks: Block[];
  /** How many of the first blocks are forgotten: cutting off one at a time takes long where there are many. */
  gone: number;
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
    this.#tails.set(id, { blocks: [], gone: 0, size: 0, read: -1, isFollowed: false });
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
      if (this.#bytes > this.#limitBytes) this.#makeRoom();
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
    const { blocks = [], gone = 0 } = this.#tails.get(id) ?? {};
    const index = blocks.findLastIndex((block) => block.at <= at);
    const block = index < gone ? undefined : blocks[index];
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

  #makeRoom(): void {
    for (const oldest of this.#blocks) {
      if (this.#bytes <= this.#limitBytes * KEPT_SHARE) return;
      this.#forget(oldest);
    }
  }

  /**
   * Forgets the first block of a file; if its reader had not come to it, that reader is too slow to
   * find anything, and nothing is kept for it any more.
   */
  #forget(block: Block): void {
    const { file } = block;
    const isUnread = block.at + block.bytes.length > file.read;
    if (isUnread) {
      for (const each of file.blocks) this.#remove(each);
      file.isFollowed = false;
      file.gone = file.blocks.length;
    } else {
      this.#remove(block);
      file.gone++;
    }
    if (2 * file.gone < file.blocks.length) return;
    file.blocks.splice(0, file.gone);
    file.gone = 0;
  }

  #remove(block: Block): void {
    if (!this.#blocks.delete(block)) return;
    this.#bytes -= block.bytes.length;
    block.bytes = NOTHING;
  }
}
