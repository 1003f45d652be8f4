/**
 * Lets more files be written than may be open: one that is not being written to is closed for a while,
 * and opened again to go on with the same file.
 *
 * @module
 */
import { Calls } from "./_calls.ts";
import type { Clock } from "../../../base/clock.ts";
import { reason } from "../../../base/errors.ts";
import type { ParkedFile, WritableFile } from "../../../adapters/files/types.ts";

/** How long fewer files are open after the system gave no more, in milliseconds. */
const FEWER_MS = 10_000;
/** A file that was used within so many milliseconds was not closed because it was quiet. */
const BUSY_MS = 10_000;

/**
 * How many calls may be under way in all files: Deno takes one more descriptor for each, for which
 * there must be room beside the open files. Those that wait for the disk keep no write waiting, which
 * mostly waits for nothing: else a disk that syncs hundreds of files slowly would keep SDKs waiting.
 */
const MAX_WRITES = 16;
const MAX_SYNCS = 32;

/** Options of {@linkcode FilePool}. */
export interface FilePoolOptions {
  /** How many files may be open at once. */
  readonly most: number;
  /** Whether a file must be on the disk before it is closed for a while. */
  readonly sync: boolean;
  /** Monotonic milliseconds. */
  readonly now: Clock["now"];
  /** Called once, when a file is closed that was in use a moment ago, so that files take turns. */
  readonly onTurns: (most: number) => void;
}

/** Hands out places for open files. */
export class FilePool {
  readonly #options: FilePoolOptions;
  /** Files that are open, the one used last at the end. */
  readonly #open = new Set<PooledFile>();
  readonly #waiting: (() => void)[] = [];
  /** Places that are taken: by open files, and by those that are being opened or closed. */
  #taken = 0;
  /** Calls that write to files, and those that wait for the disk. */
  readonly writes: Calls = new Calls(MAX_WRITES);
  readonly syncs: Calls = new Calls(MAX_SYNCS);
  /** How many may be, for a while; and since when. */
  #fewer: { readonly most: number; readonly since: number } | undefined;
  /** How many files are being closed to make room. */
  #parking = 0;
  /** Whether files can be closed for a while; `undefined` before the first is open. */
  #mayPark: boolean | undefined;
  #isTold = false;

  /** @param options how many files, and what is told */
  constructor(options: FilePoolOptions) {
    this.#options = options;
  }

  /** How many files may be written, open or not. */
  get mostWritten(): number {
    return this.#mayPark ? Infinity : this.#options.most;
  }

  /**
   * Opens a file as soon as there is a place for it.
   *
   * @param make opens it
   * @throws whatever `make` throws; where the system has no descriptor left, only if no other file
   * could be closed
   */
  async open(make: () => Promise<WritableFile>): Promise<WritableFile> {
    const file = await this.take(make);
    this.#mayPark = file.park !== undefined;
    const pooled = new PooledFile(file, this, this.#options.sync);
    this.used(pooled);
    this.idle();
    return pooled;
  }

  /** Takes a place, and opens a file. */
  async take(make: () => Promise<WritableFile>): Promise<WritableFile> {
    for (;;) {
      await this.#place();
      try {
        return await make();
      } catch (error) {
        const others = this.#taken - 1;
        const isFull = isOutOfDescriptors(error) && others > 0 && this.#mayPark !== false;
        // Sockets took them, or another program where the whole system has no more.
        if (isFull) this.#fewer = { most: others, since: this.#options.now() };
        this.release();
        if (!isFull) throw error;
      }
    }
  }

  /** Notes that an open file is being used. */
  used(file: PooledFile): void {
    file.usedAt = this.#options.now();
    this.#open.delete(file);
    this.#open.add(file);
  }

  /** Notes that nothing is under way in a file any more: it may be closed if others wait. */
  idle(): void {
    while (this.#parking < this.#waiting.length && this.#parkOldest());
  }

  /** Takes out a file that is closed. */
  forget(file: PooledFile): void {
    if (this.#open.delete(file)) this.release();
  }

  /** Gives a place back. */
  release(): void {
    this.#taken--;
    while (this.#taken < this.#most && this.#waiting.length > 0) {
      this.#taken++;
      this.#waiting.shift()!();
    }
  }

  get #most(): number {
    const { most, now } = this.#options;
    if (this.#fewer === undefined) return most;
    if (now() - this.#fewer.since < FEWER_MS) return this.#fewer.most;
    this.#fewer = undefined;
    return most;
  }

  async #place(): Promise<void> {
    if (this.#taken < this.#most) {
      this.#taken++;
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    this.idle();
    await promise;
  }

  /** Closes the file that was not used for longest; returns whether there is one. */
  #parkOldest(): boolean {
    for (const file of this.#open) {
      if (!file.mayPark) continue;
      this.#tell(file);
      this.#parking++;
      this.#open.delete(file);
      void file.giveUpPlace().then((isParked) => {
        this.#parking--;
        if (isParked) this.release();
        else this.#open.add(file);
        this.idle();
      });
      return true;
    }
    return false;
  }

  #tell(file: PooledFile): void {
    if (this.#isTold || this.#options.now() - file.usedAt >= BUSY_MS) return;
    this.#isTold = true;
    this.#options.onTurns(this.#most);
  }
}

/** A file that may be closed for a while between two calls. */
class PooledFile implements WritableFile {
  /** When it was used last, in milliseconds. */
  usedAt = 0;
  readonly #pool: FilePool;
  readonly #sync: boolean;
  /** The file, where it is open. */
  #file: WritableFile | undefined;
  #parked: ParkedFile | undefined;
  /** What is under way. */
  #calls = 0;
  /** Resolves when it is closed for a while, or could not be. */
  #parking: Promise<boolean> | undefined;
  #opening: Promise<WritableFile> | undefined;
  /** Whether something may not be on the disk. */
  #isDirty = false;
  #isClosed = false;
  /** What went wrong when it was to be closed for a while; thrown by the next call. */
  #failure: { readonly error: unknown } | undefined;

  constructor(file: WritableFile, pool: FilePool, sync: boolean) {
    this.#file = file;
    this.#pool = pool;
    this.#sync = sync;
  }

  /** Whether it is open, and may be closed for a while. */
  get mayPark(): boolean {
    return this.#file?.park !== undefined && this.#calls === 0 && !this.#failure &&
      !this.#isClosed;
  }

  write(bytes: Uint8Array): Promise<void> {
    return this.#change((file) => file.write(bytes));
  }

  writeAt(at: number, bytes: Uint8Array): Promise<void> {
    return this.#change((file) => file.writeAt(at, bytes));
  }

  truncate(size: number): Promise<void> {
    return this.#change((file) => file.truncate(size));
  }

  async sync(): Promise<void> {
    await this.#parking;
    this.#check();
    // All of it went to the disk before it was closed.
    if (this.#parked !== undefined && !this.#isDirty) return;
    await this.#use(async (file) => {
      this.#isDirty = false;
      try {
        await file.sync();
      } catch (error) {
        this.#isDirty = true;
        throw error;
      }
    }, this.#pool.syncs);
  }

  async isAt(path: string): Promise<boolean> {
    await this.#parking;
    if (this.#parked !== undefined) return await this.#parked.isAt(path);
    return await this.#use((file) => file.isAt?.(path) ?? Promise.resolve(true), this.#pool.syncs);
  }

  async close(): Promise<void> {
    if (this.#isClosed) return;
    await this.#parking;
    await this.#opening?.catch(() => {}); // told to who asked for it
    this.#isClosed = true;
    const file = this.#file;
    this.#file = undefined;
    if (file === undefined) return;
    try {
      await file.close();
    } finally {
      this.#pool.forget(this);
    }
  }

  /**
   * Closes the file for a while.
   *
   * @returns whether its place is free; if not, the next call throws why
   */
  giveUpPlace(): Promise<boolean> {
    const file = this.#file!;
    const parking = (async () => {
      // Else it might be over before it is noted.
      await Promise.resolve();
      try {
        this.#parked = await this.#pool.syncs.make(async () => {
          if (this.#isDirty && this.#sync) await file.sync();
          this.#isDirty = false;
          return await file.park!();
        });
        this.#file = undefined;
        return true;
      } catch (error) {
        this.#failure = { error };
        return false;
      } finally {
        this.#parking = undefined;
      }
    })();
    return this.#parking = parking;
  }

  #check(): void {
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure.error;
  }

  #change(action: (file: WritableFile) => Promise<void>): Promise<void> {
    // Noted when it is over: a sync that runs meanwhile may not see it.
    return this.#use((file) => action(file).finally(() => this.#isDirty = true));
  }

  async #use<T>(
    action: (file: WritableFile) => Promise<T>,
    calls = this.#pool.writes,
  ): Promise<T> {
    this.#calls++;
    try {
      if (this.#parking !== undefined) await this.#parking;
      this.#check();
      const file = this.#file ?? await this.#again();
      this.#pool.used(this);
      return await calls.make(() => action(file));
    } finally {
      this.#calls--;
      this.#pool.idle();
    }
  }

  #again(): Promise<WritableFile> {
    return this.#opening ??= (async () => {
      const parked = this.#parked;
      if (parked === undefined) throw new Error("The file is closed");
      try {
        this.#file = await this.#pool.take(() => parked.open());
        this.#parked = undefined;
        return this.#file;
      } finally {
        this.#opening = undefined;
      }
    })();
  }
}

/** Whether an error says that this process, or the whole system, has no descriptor left. */
export function isOutOfDescriptors(error: unknown): boolean {
  const { code } = error as { readonly code?: unknown };
  if (code === "EMFILE" || code === "ENFILE") return true;
  // Deno gives some errors no code, but always the system's number.
  return /\(os error (?:23|24)\)/.test(reason(error));
}
