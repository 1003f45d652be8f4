/**
 * The file of an index: read line by line, written line by line.
 *
 * @module
 */
import { createAnew, isFileThere } from "../../../adapters/files/only_files.ts";
import type {
  FileReadAdapter,
  FileWriteAdapter,
  ReadableFile,
  WritableFile,
} from "../../../adapters/files/types.ts";
import { concat } from "@std/bytes";
import { HomeFolder } from "./home_folder.ts";
import { decodeLine, encodeLine, type IndexLine } from "./_index_line.ts";

/** Longer lines, in bytes, are not ours. */
const MAX_LINE_BYTES = 64 * 1024;
const LINE_FEED = 10;
/** How much is copied at once of an index that was removed, in bytes. */
const COPY_BYTES = 256 * 1024;

/** Reads and writes the lines of an index; what fails is thrown to the caller. */
export class IndexFile {
  #file: WritableFile | undefined;
  #isTorn = false;
  #writing: Promise<void> = Promise.resolve();
  /** A sync that has not begun. */
  #waiting: Promise<void> | undefined;
  /** Lines that are written together, once what is under way is over. */
  #gathered: { readonly lines: Uint8Array[]; readonly written: Promise<void> } | undefined;
  /**
   * Length of the file up to the last whole write; behind it a failed write may have left
   * something. `undefined` where nobody knows it, because not all of the file was read.
   */
  #size: number | undefined = 0;
  #isShared = false;
  #isClosed = false;
  /** Reads the file that is open, also once somebody has removed it. */
  #held: ReadableFile | undefined;
  /**
   * The index in the folder in which saving began, while another folder has that name: the first one may
   * be away with its drive, or removed, and only an open file tells which.
   */
  #first: ReadableFile | undefined;
  /** The folder in which it was opened. */
  #home: HomeFolder | undefined;
  /** Called when the file was put back that somebody had removed or renamed. */
  onRestored: () => void = () => {};
  /** Called before the file is made in a folder that took the place of one that was removed. */
  onRemoved: () => Promise<void> = () => Promise.resolve();

  /**
   * Takes the path, and touches nothing.
   *
   * @param path of the index
   * @param reads files to read it from
   * @param writes files to write it to; left out, it is only read
   */
  constructor(
    readonly path: string,
    readonly reads: FileReadAdapter,
    readonly writes?: FileWriteAdapter,
  ) {}

  /** Reads the lines, and leaves out those that make no sense. */
  async *lines(): AsyncGenerator<IndexLine> {
    if (!await isFileThere(this.reads, this.path)) return;
    const decoder = new TextDecoder();
    let rest: Uint8Array = new Uint8Array(0);
    let size = 0;
    // So it stays if reading ends early: its last line may be torn then, and its length is not known.
    this.#size = undefined;
    this.#isTorn = true;
    for await (const chunk of await this.reads.open(this.path)) {
      size += chunk.length;
      const bytes = new Uint8Array(rest.length + chunk.length);
      bytes.set(rest);
      bytes.set(chunk, rest.length);
      let start = 0;
      for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
        const line = decodeLine(decoder.decode(bytes.subarray(start, end)));
        start = end + 1;
        if (line !== undefined) yield line;
      }
      // A line that is too long is dropped.
      rest = bytes.subarray(start).slice(-MAX_LINE_BYTES);
    }
    this.#isTorn = rest.length > 0;
    this.#size = size;
    const last = decodeLine(decoder.decode(rest));
    if (last !== undefined) yield last;
  }

  /** Writes the file anew, with these lines. */
  async replace(lines: Iterable<IndexLine>): Promise<void> {
    const next = `${this.path}.new`;
    const file = await createAnew(this.#writes, next, this.reads);
    let size = 0;
    try {
      if (await this.reads.kind(this.path) === "file") {
        await this.#writes.takeOver?.(next, this.path); // as far as it goes
      }
      for (const line of lines) {
        const bytes = encodeLine(line);
        await file.write(bytes);
        size += bytes.length;
      }
      await file.sync();
      await this.#writes.rename(next, this.path);
    } catch (error) {
      await file.close();
      throw error;
    }
    this.#file = file;
    this.#size = size;
    this.#isTorn = false;
    await this.#hold();
  }

  /** Says that another program adds lines as well from now on. */
  share(): void {
    this.#isShared = true;
  }

  /**
   * Writes a line at the end of the file, whoever else writes there; lines that come while something is
   * under way are written together.
   */
  write(line: IndexLine): Promise<void> {
    const bytes = encodeLine(line);
    if (this.#gathered !== undefined) {
      this.#gathered.lines.push(bytes);
      return this.#gathered.written;
    }
    // A sync that has not begun would not cover this line.
    this.#waiting = undefined;
    const lines = [bytes];
    const written = this.#writing.then(() => {
      this.#gathered = undefined;
      return this.#put(lines);
    });
    this.#gathered = { lines, written };
    this.#writing = written.catch(() => {});
    return written;
  }

  /** Puts the file back if somebody removed it: without it nothing would tell what the files are. */
  look(): Promise<void> {
    const looked = this.#writing.then(async () => {
      if (this.#isClosed || this.#file === undefined) return;
      if (await this.#isGone(this.#file)) await this.#open();
    });
    this.#writing = looked.catch(() => {});
    return looked;
  }

  /** Whether the index that was opened first was removed, and is not away with its folder or its drive. */
  async isRemoved(): Promise<boolean> {
    try {
      return await (this.#first ?? this.#held)?.isRemoved?.() ?? false;
    } catch {
      return false; // of a drive that is gone, perhaps
    }
  }

  /** Lets go of the index that was removed; returns whether another one is written in its place. */
  async forgetRemoved(): Promise<boolean> {
    const first = this.#first;
    this.#first = undefined;
    await first?.close().catch(() => {}); // it was only read
    return first !== undefined;
  }

  /** Makes sure that what was written before is on the disk; calls in a row share one sync. */
  sync(): Promise<void> {
    if (this.#waiting !== undefined) return this.#waiting;
    const synced = this.#writing.then(() => {
      if (this.#waiting === synced) this.#waiting = undefined;
      return this.#file?.sync();
    });
    this.#waiting = synced;
    // One after another: two writes at one time would go to the same place.
    this.#writing = synced.catch(() => {});
    return synced;
  }

  /** Closes it. */
  async close(): Promise<void> {
    await this.#writing;
    this.#isClosed = true;
    await this.#first?.close();
    await this.#held?.close();
    await this.#file?.close();
  }

  get #writes(): FileWriteAdapter {
    if (this.writes === undefined) throw new Error(`${this.path} is only read`);
    return this.writes;
  }

  /**
   * Whether somebody removed the index, or moved it away, as with its whole folder: files that are
   * made from now on could not be found by what is written there.
   */
  async #isGone(file: WritableFile): Promise<boolean> {
    try {
      if (file.isAt === undefined || await file.isAt(this.path)) return false;
      // A link may have its name, and lead to it.
      return !await file.isAt(await this.reads.realPath(this.path));
    } catch {
      return await this.reads.kind(this.path).catch(() => "other") === undefined;
    }
  }

  async #open(): Promise<WritableFile> {
    const isThere = await isFileThere(this.reads, this.path);
    const before = this.#file;
    const isRestored = !isThere && before !== undefined && await this.#restore();
    if (await this.#home?.isAnother() === true) {
      // Where the folder was removed, and not moved, the new one takes its place for good.
      if (this.#first === undefined && await this.isRemoved()) await this.onRemoved();
      else if (this.#first === undefined) [this.#first, this.#held] = [this.#held, undefined];
    }
    this.#file = await this.#writes.create(this.path, "append");
    await this.#hold();
    if (before === undefined) return this.#file;
    this.#size = undefined;
    this.#isTorn = true;
    await before.close().catch(() => {}); // of a drive that is gone, perhaps
    if (isRestored) this.onRestored();
    return this.#file;
  }

  /** Keeps what is needed to put the file back, as far as the system lets it. */
  async #hold(): Promise<void> {
    const { path, reads } = this;
    await this.#held?.close().catch(() => {}); // it was only read
    this.#held = await reads.openAt(path).catch(() => undefined);
    this.#home = await HomeFolder.of(folderOf(path), reads);
  }

  /**
   * Writes the file again that was removed or renamed, with all that is in it; not into another folder
   * than its own, which has none of the files.
   *
   * @returns whether that was done
   * @throws whatever the runtime says, as where the disk is full: it is tried again then
   */
  async #restore(): Promise<boolean> {
    const { path, reads } = this;
    const held = this.#held;
    if (held === undefined || await this.#home?.isAnother() !== false) return false;
    const real = await reads.kind(path) === undefined ? path : await reads.realPath(path);
    const next = `${real}.new`;
    const file = await createAnew(this.#writes, next, this.reads);
    try {
      const block = new Uint8Array(COPY_BYTES);
      for (let at = 0, length = 1; length > 0; at += length) {
        length = await held.readAt(at, block).catch(() => 0); // of a bad disk, what can be read
        await file.write(block.subarray(0, length));
      }
      await file.sync();
      await this.#writes.rename(next, real);
    } catch (error) {
      await this.#writes.remove(next).catch(() => {}); // it takes room, of which a full disk has none
      throw error;
    } finally {
      await file.close();
    }
    await this.#writes.syncFolder(folderOf(real)).catch(() => {}); // some systems can't
    return true;
  }

  async #put(lines: readonly Uint8Array[]): Promise<void> {
    // Made only with the first line, so that a refused start leaves nothing behind.
    const file = this.#file === undefined || await this.#isGone(this.#file)
      ? await this.#open()
      : this.#file;
    try {
      // A line feed first, so that a torn line does not spoil the next one.
      const bytes = concat(this.#isTorn ? [Uint8Array.of(LINE_FEED), ...lines] : lines);
      await file.write(bytes);
      this.#isTorn = false;
      if (this.#size !== undefined) this.#size += bytes.length;
    } catch (error) {
      // Half a line is not cut off if others write here, for that could cut off their lines too; a
      // line feed will end it.
      if (this.#isShared || this.#size === undefined) this.#isTorn = true;
      else await file.truncate(this.#size).catch(() => this.#isTorn = true);
      throw error;
    }
  }
}

/** The folder of a path, with the separator at its end; `""` is the current one. */
function folderOf(path: string): string {
  return /^(.*[/\\])?/s.exec(path)![0];
}
