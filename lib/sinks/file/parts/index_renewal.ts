/**
 * Gives files that were closed without a list of their chunks such a list, in the background and
 * one after another: each is copied to `NAME.new`, which then is renamed.
 *
 * @module
 */
import { takeOverPlace, unkeptText } from "../../../adapters/files/in_place.ts";
import type { FileAdapter, ReadableFile, WritableFile } from "../../../adapters/files/types.ts";
import { reason } from "../../../base/errors.ts";
import type { Log } from "../../../base/log.ts";
import type { ChunkIndexer, IndexEnd } from "./chunk_indexer.ts";
import { ClosedHash } from "./closed_hashes.ts";
import { FileHash } from "./_file_hash.ts";
import type { FolderSync } from "./folder_sync.ts";
import type { FileLine } from "./_index_line.ts";
import { tellNoIndex } from "./no_index.ts";
import { COPY_SUFFIX, type PartIndex } from "./part_index.ts";
import { plural } from "../../../base/plural.ts";

/** Options of {@linkcode IndexRenewal}. */
export interface RenewalOptions {
  /** With the separator at its end. */
  readonly folder: string;
  readonly adapter: FileAdapter;
  readonly log: Log;
  readonly index: PartIndex;
  readonly indexer: ChunkIndexer;
  readonly names: FolderSync;
  /** Whether a copy is on the disk before it takes the place of the file. */
  readonly sync: boolean;
  /** Called with the names of surplus files that were removed. */
  readonly onRemoved: (names: readonly string[]) => void;
}

const BLOCK_BYTES = 1 << 20;
/** Bytes of an end marker, and of the end header that replaces it. */
const MARKER_BYTES = 16;
/** Free bytes that a disk must have besides the copy, since what is being saved comes first. */
const SPARE_BYTES = 256 * 1024 * 1024;

/** Rewrites closed files with a list of their chunks, one after another. */
export class IndexRenewal {
  readonly #options: RenewalOptions;
  readonly #stopping = new AbortController();
  #last: Promise<void> = Promise.resolve();
  /** Files that got no list because it was stopped. */
  #left: string[] = [];

  constructor(options: RenewalOptions) {
    this.#options = options;
  }

  /** Takes a closed file; what fails is logged, and tried again at the next start. */
  add(line: FileLine): void {
    this.#last = this.#last.then(() => this.#run(line));
  }

  /**
   * Resolves when all files that it was given are done, or given up; says which were left for the
   * next start. Never rejects.
   */
  async done(): Promise<void> {
    let last: Promise<void>;
    do {
      last = this.#last;
      await last;
    } while (last !== this.#last);
    this.#tellLeft();
  }

  /** Gives up what is not done; the next start goes on with it. */
  stop(): void {
    this.#stopping.abort();
  }

  async #run(line: FileLine): Promise<void> {
    const { folder, index, log } = this.#options;
    const { signal } = this.#stopping;
    const path = folder + line.name;
    if (signal.aborted) return void this.#left.push(path);
    try {
      const kind = await this.#options.adapter.kind(path);
      // Somebody may have removed it, or the drive with all of them.
      if (kind === undefined && await index.isAway()) throw new Error("it is not there now");
      if (kind === undefined) return await index.drop(line);
      if (kind !== "file") return index.release(line);
      index.hold(line);
      await this.#renew(path, line);
    } catch (error) {
      index.release(line);
      if (signal.aborted) return void this.#left.push(path);
      tellNoIndex(log, path, { why: reason(error), about: undefined });
    }
  }

  #tellLeft(): void {
    const { length } = this.#left;
    if (length === 0) return;
    const [first] = this.#left.splice(0);
    const which = length === 1 ? `${first} waits` : `${first} and ${length - 1} more wait`;
    const text =
      `${which} for a chunk index: the next start that saves under the same name makes ` +
      "it; until then programs read all of it to find something (rerelay rrd index makes it at once)";
    this.#options.log.write("info", text, { files: length, kind: "index waits" });
  }

  async #renew(path: string, line: FileLine): Promise<void> {
    const { adapter, index, indexer, log } = this.#options;
    const copy = path + COPY_SUFFIX;
    // A copy that was begun before is ours.
    if (line.isRenewed && await adapter.kind(copy) === "file") await adapter.remove(copy);
    const { signal } = this.#stopping;
    const indexed = await indexer.index(path, { mayWait: true, signal });
    if (indexed.kind === "later") {
      this.#left.push(path);
      return index.release(line);
    }
    if (indexed.kind === "failed") throw new Error(indexed.why);
    if (indexed.kind === "none") {
      tellNoIndex(log, path, indexed);
      return await this.#noted({ ...line, footer: "none" });
    }
    const { end } = indexed;
    if (end.chunks === 0) return await this.#noted({ ...line, footer: "none" });
    const file = await adapter.openAt(path);
    try {
      const plain = end.messagesEnd + MARKER_BYTES;
      const bytes = plain + end.rest.reduce((sum, piece) => sum + piece.length, 0);
      if (await endsWith(file, end, bytes)) {
        const hash = await this.#hash(file, line, end, () => Promise.resolve());
        return await this.#noted({ ...line, footer: "ok", bytes, plain, hash });
      }
      const free = await adapter.freeBytes(this.#options.folder);
      if (free !== undefined && free < bytes + SPARE_BYTES) {
        throw new Error(`it would be written anew, and the disk has ${plural(free, "byte")} left`);
      }
      if (await adapter.kind(copy) !== undefined) {
        throw new Error(`${copy} is in the way: it would be written anew under that name`);
      }
      await index.note({ ...line, isRenewed: true });
      const hash = await this.#copy(file, copy, line, end);
      const kind = await adapter.kind(path);
      if (kind === undefined && await index.isAway()) throw new Error("it is not there now");
      if (kind !== "file") {
        await adapter.remove(copy);
        return await index.drop(line);
      }
      await adapter.rename(copy, path);
      await this.#options.names.sync();
      await this.#noted({ ...line, footer: "ok", bytes, plain, hash });
      log.write("debug", `${path} has a chunk index now`, { path });
    } finally {
      await file.close();
    }
  }

  /** Writes a copy that ends with the footer; gives its hash without the footer. */
  async #copy(
    file: ReadableFile,
    path: string,
    line: FileLine,
    end: IndexEnd,
  ): Promise<string> {
    const { adapter, folder, log, sync } = this.#options;
    const copy = await adapter.create(path, "new");
    try {
      const unkept = await takeOverPlace(adapter, path, folder + line.name);
      if (unkept !== undefined) {
        const text = unkeptText(folder + line.name, unkept);
        log.write("warn", text, { path: folder + line.name, kind: "rights not kept" });
      }
      const hash = await this.#hash(file, line, end, (messages) => copy.write(messages));
      for (const bytes of [end.header, ...end.rest]) await copy.write(bytes);
      if (sync) await copy.sync();
      await copy.close();
      return hash;
    } catch (error) {
      await abandon(copy);
      await adapter.remove(path);
      throw error;
    }
  }

  /**
   * Gives the hash of a file without its footer.
   *
   * @param take is given all messages, piece by piece
   * @throws {Error} if it differs from that of the file that was closed
   */
  async #hash(
    file: ReadableFile,
    line: FileLine,
    { messagesEnd }: IndexEnd,
    take: (messages: Uint8Array) => Promise<void>,
  ): Promise<string> {
    const known = line.hash === undefined ? undefined : new ClosedHash(line);
    const hash = new FileHash();
    await this.#read(file, async (bytes, at) => {
      known?.add(bytes);
      const messages = bytes.subarray(0, Math.max(0, messagesEnd - at));
      hash.update(messages);
      await take(messages);
    });
    const differs = known?.finish();
    if (differs !== undefined) throw new Error(`it changed since it was closed: ${differs}`);
    hash.update(new Uint8Array(MARKER_BYTES));
    return hash.text;
  }

  async #read(
    file: ReadableFile,
    take: (bytes: Uint8Array, at: number) => Promise<void>,
  ): Promise<void> {
    const block = new Uint8Array(BLOCK_BYTES);
    for (let at = 0;;) {
      this.#stopping.signal.throwIfAborted();
      const length = await file.readAt(at, block);
      if (length === 0) return;
      await take(block.subarray(0, length), at);
      at += length;
    }
  }

  async #noted(line: FileLine): Promise<void> {
    const { isRenewed: _, ...rest } = line;
    const { index, onRemoved } = this.#options;
    onRemoved(await index.recovered(rest));
  }
}

async function abandon(file: WritableFile): Promise<void> {
  await file.close().catch(() => {}); // what was wrong before is told
}

/** Whether a file ends with this footer, which its checksum shows. */
async function endsWith(file: ReadableFile, end: IndexEnd, size: number): Promise<boolean> {
  if (file.size !== size) return false;
  const trailer = end.rest.at(-1)!;
  const pieces = [[end.messagesEnd, end.header], [size - trailer.length, trailer]] as const;
  for (const [at, wanted] of pieces) {
    const there = new Uint8Array(wanted.length);
    const length = await file.readAt(at, there);
    if (length < wanted.length || there.some((byte, i) => byte !== wanted[i])) return false;
  }
  return true;
}
