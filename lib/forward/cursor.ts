/**
 * A file beside the recordings that says how far a target has acknowledged each of them.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import { takeOverPlace } from "../adapters/files/in_place.ts";
import { createAnew, isFileThere } from "../adapters/files/only_files.ts";
import type { FileAdapter, WritableFile } from "../adapters/files/types.ts";
import { reason } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Tally } from "../base/tally.ts";
import { FolderSync } from "../sinks/file/parts/folder_sync.ts";
import {
  type CursorLine,
  decodeCursorLine,
  encodeCursorLine,
  type Loss,
  type LossKind,
} from "./cursor_line.ts";
import { readLines } from "./_read_lines.ts";

/** A place in a file up to which everything was acknowledged. */
export interface CursorPlace {
  /** The number that the next message has. */
  readonly number: number;
  /** How many messages of any kind stand before it. */
  readonly before: number;
  /** Where the next message begins, in bytes; 0 stands for the first message. */
  readonly offset: number;
  /**
   * Whether the messages that each file repeats at its beginning, such as static data, are sent and
   * numbered too.
   */
  readonly isWhole: boolean;
}

/** The place before the first message of a file. */
export const BEGINNING: CursorPlace = { number: 0, before: 0, offset: 0, isWhole: false };

/** Stands in place of a place once all of a file was acknowledged. */
export const DONE = "done";

/** The file is written anew when so many of its lines are outdated. */
const MANY_LINES = 1000;
/** A place that was noted is synced to the disk after so long, in milliseconds. */
const SYNC_MS = 1000;

/** The file, the clock and the log of a cursor. */
export interface CursorOptions {
  readonly path: string;
  readonly adapter: FileAdapter;
  readonly log: Log;
  /** Monotonic milliseconds. */
  readonly now: Clock["now"];
  /** The name of the target, for people who look into the file. */
  readonly target: string;
}

/**
 * Keeps a file with one line for each acknowledgement, each with a checksum. The last valid line
 * about a recording file counts. If lines are torn or lost, something is sent again; nothing is
 * ever left out.
 */
export class Cursor {
  readonly #options: CursorOptions;
  readonly #names: FolderSync;
  readonly #places = new Map<string, CursorPlace | typeof DONE>();
  readonly #losses = new Map<LossKind, Loss>();
  #target: string;
  #file: WritableFile | undefined;
  /** Length of the whole lines in the file, in bytes. */
  #size = 0;
  #lines = 0;
  /** Lines that are not written yet, by file. */
  #dirty = new Map<string, CursorLine>();
  #writing: Promise<void> | undefined;
  #syncedAt = -Infinity;
  #isWarned = false;
  /** What was thrown when lines could not be written that are not written since. */
  failure: unknown;
  #isNew = true;

  private constructor(options: CursorOptions) {
    this.#options = options;
    this.#target = options.target;
    const { path, adapter, log } = options;
    const [folder] = /^(.*[/\\])?/s.exec(path)!;
    this.#names = new FolderSync(folder, adapter, true, log);
  }

  /**
   * Reads the file, if there is one.
   *
   * @throws the error of the disk, since without the cursor everything would be sent once more
   */
  static async open(options: CursorOptions): Promise<Cursor> {
    const cursor = new Cursor(options);
    const { path, adapter } = options;
    if (!await isFileThere(adapter, path)) return cursor;
    cursor.#isNew = false;
    for await (const text of readLines(await adapter.open(path))) {
      cursor.#lines++;
      const line = decodeCursorLine(text);
      if (line !== undefined) cursor.#take(line);
    }
    return cursor;
  }

  /** The target whose cursor this is. */
  get target(): string {
    return this.#target;
  }

  /** Forgets what its file says, as that of another target: all is sent from the beginning on. */
  beginAnew(): void {
    this.#target = this.#options.target;
    this.#places.clear();
    this.#losses.clear();
    this.#isNew = true;
  }

  /** Makes its file, if there is none, so that what waits for whom is seen before anything is acknowledged. */
  begin(): void {
    if (!this.#isNew) return;
    this.#dirty.set("", { target: this.#target });
    void (this.#writing ??= this.#write());
  }

  /** The place in a file, or that all of it was acknowledged. */
  placeOf(file: string): CursorPlace | typeof DONE {
    return this.#places.get(file) ?? BEGINNING;
  }

  /** The files in which it has a place. */
  get files(): Iterable<string> {
    return this.#places.keys();
  }

  /**
   * Notes a place.
   *
   * @returns resolves when it is written. Never rejects: if writing fails, that is logged, and
   * tried again with the next note
   */
  note(file: string, place: CursorPlace | typeof DONE): Promise<void> {
    this.#places.set(file, place);
    this.#dirty.set(file, place === DONE ? { file, done: true } : { file, ...place });
    return this.#writing ??= this.#write();
  }

  /** Notes that a file was removed. */
  forget(file: string): void {
    if (!this.#places.delete(file)) return;
    this.#dirty.set(file, { file, gone: true });
    void (this.#writing ??= this.#write());
  }

  /** Notes messages that never reach the target, so that nobody takes it for whole later. */
  lost(kind: LossKind, { messages, bytes }: Readonly<Tally>, lastMs: number): void {
    const before = this.loss(kind);
    const loss = { messages: before.messages + messages, bytes: before.bytes + bytes, lastMs };
    this.#losses.set(kind, loss);
    // No file has such an id.
    this.#dirty.set(` ${kind}`, { loss: kind, ...loss });
    void (this.#writing ??= this.#write());
  }

  /** What never reached the target, since its cursor was made or reset. */
  loss(kind: LossKind): Loss {
    return this.#losses.get(kind) ?? { messages: 0, bytes: 0, lastMs: 0 };
  }

  /** Forgets what never reached the target: what was missing is known, and it begins with what comes. */
  forgive(): void {
    for (const [kind, { messages, bytes }] of this.#losses) {
      this.lost(kind, { messages: -messages, bytes: -bytes }, 0);
    }
  }

  /** Writes all lines that are not written yet, and closes the file. */
  async close(): Promise<void> {
    await this.#writing;
    if (this.#dirty.size > 0) await this.#write();
    try {
      await this.#file?.sync();
      await this.#file?.close();
    } catch (error) {
      this.#warn(error);
    }
  }

  #take(line: CursorLine): void {
    if ("target" in line) return void (this.#target = line.target);
    if ("loss" in line) {
      const { loss, messages, bytes, lastMs } = line;
      return void this.#losses.set(loss, { messages, bytes, lastMs });
    }
    if ("gone" in line) return void this.#places.delete(line.file);
    const { file } = line;
    if ("done" in line) return void this.#places.set(file, DONE);
    const { number, before, offset, isWhole } = line;
    this.#places.set(file, { number, before, offset, isWhole });
  }

  async #write(): Promise<void> {
    // Waits a moment, so that all that is noted at one time goes in one write.
    await Promise.resolve();
    while (this.#dirty.size > 0) {
      const lines = [...this.#dirty.values()];
      this.#dirty = new Map();
      try {
        await this.#put(lines);
        this.failure = undefined;
      } catch (error) {
        this.#warn(error);
        // Losing lines does little harm: after a crash some messages are sent again.
        for (const line of lines) {
          const key = "file" in line ? line.file : "loss" in line ? ` ${line.loss}` : undefined;
          if (key !== undefined && !this.#dirty.has(key)) this.#dirty.set(key, line);
        }
        break;
      }
    }
    this.#writing = undefined;
  }

  async #put(lines: readonly CursorLine[]): Promise<void> {
    const { now } = this.#options;
    const isLong = this.#lines > MANY_LINES + 2 * this.#places.size;
    if (this.#file === undefined || isLong || !await this.#isInPlace(this.#file)) {
      return await this.#replace();
    }
    const bytes = encodeLines(lines);
    try {
      await this.#file.write(bytes);
    } catch (error) {
      await this.#file.truncate(this.#size).catch(() => {}); // a torn line is recognized by its checksum
      throw error;
    }
    this.#size += bytes.length;
    this.#lines += lines.length;
    if (now() - this.#syncedAt < SYNC_MS) return;
    this.#syncedAt = now();
    await this.#file.sync();
  }

  /** Whether the file stands at its path: a drive may be taken out, and somebody may remove it. */
  async #isInPlace(file: WritableFile): Promise<boolean> {
    try {
      return file.isAt === undefined || await file.isAt(this.#options.path);
    } catch {
      return false;
    }
  }

  /** Writes all places into a new file, which replaces the old one once it is on the disk. */
  async #replace(): Promise<void> {
    const { path, adapter, now } = this.#options;
    const lines: CursorLine[] = [{ target: this.#target }];
    for (const [file, place] of this.#places) {
      lines.push(place === DONE ? { file, done: true } : { file, ...place });
    }
    for (const [loss, much] of this.#losses) lines.push({ loss, ...much });
    const next = `${path}.new`;
    const file = await createAnew(adapter, next, adapter);
    try {
      await takeOverPlace(adapter, next, path); // as far as it goes
      const bytes = encodeLines(lines);
      await file.write(bytes);
      await file.sync();
      await adapter.rename(next, path);
      // Else the old file might be back after a power cut, without what is added from now on.
      await this.#names.sync();
      await this.#file?.close().catch(() => {}); // of a drive that is gone, perhaps
      this.#file = file;
      this.#size = bytes.length;
      this.#lines = lines.length;
      this.#syncedAt = now();
    } catch (error) {
      await file.close().catch(() => {}); // the first error is the one to report
      throw error;
    }
  }

  #warn(error: unknown): void {
    this.failure = error;
    if (this.#isWarned) return;
    this.#isWarned = true;
    const { path, log, target } = this.#options;
    const text = `${path} could not be written: ${reason(error)}; should this program end now, ` +
      `what ${target} has since would be sent once more`;
    log.write("warn", text, { path, kind: "cursor" });
  }
}

function encodeLines(lines: readonly CursorLine[]): Uint8Array {
  return new TextEncoder().encode(lines.map(encodeCursorLine).join(""));
}
