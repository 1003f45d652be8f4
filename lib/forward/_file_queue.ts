/**
 * Chooses the file to read next: files with enough for a batch, or that have waited long enough,
 * take turns.
 *
 * @module
 */
import type { Clock } from "../base/clock.ts";
import type { JournaledFile } from "../sinks/file/parts/part_journal.ts";
import type { CursorPlace } from "./cursor.ts";
import { BEGINNING } from "./cursor.ts";
import type { PartReader } from "./part_reader.ts";
import { Progress } from "./_progress.ts";
import type { BatchLimits } from "./target.ts";

/** A file of which not all was acknowledged. */
export interface QueuedFile {
  readonly file: JournaledFile;
  readonly reader: PartReader;
  /** The place up to which the file was acknowledged. */
  acked: CursorPlace;
  /** How many recordings its last batch had. */
  recordings: number;
  /** When the first message behind `acked` was written, in milliseconds of the clock. */
  readonly since: number | undefined;
  /** Aborted when the file need not be sent any more: nothing of it waits for its turn then. */
  readonly left: AbortController;
}

interface Entry extends QueuedFile {
  reader: PartReader;
  readonly progress: Progress;
  state: "quiet" | "waiting" | "ready" | "taken";
  /** When the file becomes ready at the latest. */
  due: number;
}

/** The clock and timer of a queue, and its callback. */
export interface FileQueueOptions {
  /** Monotonic milliseconds. */
  readonly now: Clock["now"];
  /** Calls back after so many milliseconds, once, and returns what calls that off. */
  readonly timer: Clock["timer"];
  /** Called when something may be taken. */
  readonly onReady: () => void;
}

/** How many files stay open between two reads; others are opened anew. */
const MAX_OPEN = 32;

/**
 * Files that are due within this share of the wait go together with the first of them: of hundreds of
 * files, each would otherwise wake the program and fill a packet by itself.
 */
const TOGETHER_SHARE = 1 / 4;

/** All files in the order in which they were begun, and which of them may be read now. */
export class FileQueue {
  readonly #limits: BatchLimits;
  readonly #options: FileQueueOptions;
  readonly #entries = new Map<string, Entry>();
  /** Files by group: those of one group are sent one after the other. */
  readonly #groups = new Map<string, Set<Entry>>();
  /**
   * Files that wait for more messages, in the order in which they came, which is about that in which
   * they are due.
   */
  readonly #waiting = new Set<Entry>();
  readonly #ready = new Set<Entry>();
  /** Entries whose readers may have a file open; the one used last stands at the end. */
  readonly #open = new Set<Entry>();
  #callOff: (() => void) | undefined;
  #isHurried = false;

  /**
   * @param limits of batches
   * @param options clock and timer
   */
  constructor(limits: BatchLimits, options: FileQueueOptions) {
    this.#limits = limits;
    this.#options = options;
  }

  /** Whether a file may be taken now, or in this turn of the event loop. */
  get hasReady(): boolean {
    return this.#ready.size > 0 || this.#waiting.size > 0;
  }

  /** Adds a file, of which all before a place was acknowledged. */
  add(file: JournaledFile, acked: CursorPlace, reader: PartReader): void {
    const progress = new Progress(acked.offset);
    const entry: Entry = {
      ...{ file, reader, acked, progress, recordings: 1, state: "quiet", due: 0 },
      left: new AbortController(),
      get since() {
        return progress.since(this.acked.offset);
      },
    };
    this.#entries.set(file.id, entry);
    const group = groupOf(file);
    const others = this.#groups.get(group);
    if (others === undefined) this.#groups.set(group, new Set([entry]));
    else others.add(entry);
    this.#look(entry);
  }

  /** To be called when a file has grown or ended, or may be read now. */
  changed(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#look(entry);
    // The next file of the group may be sent now, if this one need not be finished first.
    if (entry.file.state !== "writing") this.#lookAtGroup(groupOf(entry.file));
  }

  /** Takes the next file that is ready; it is not given again before `release`. */
  take(): QueuedFile | undefined {
    for (const entry of this.#ready) {
      this.#ready.delete(entry);
      entry.state = "taken";
      this.#open.delete(entry);
      return entry;
    }
    return undefined;
  }

  /** Gives back a file, which may then be taken again if there is more in it. */
  release(queued: QueuedFile): void {
    const entry = queued as Entry;
    if (this.#entries.get(entry.file.id) !== entry) return;
    entry.state = "quiet";
    this.#open.add(entry);
    for (const oldest of this.#open) {
      if (this.#open.size <= MAX_OPEN) break;
      this.#open.delete(oldest);
      void oldest.reader.close().catch(() => {}); // it was only read
    }
    this.#look(entry);
  }

  /**
   * Has nothing of a file wait for its turn any more.
   *
   * @param why it need not be sent
   * @returns whether it is taken, so that something of it may be under way
   */
  leave(id: string, why: Error): boolean {
    const entry = this.#entries.get(id);
    entry?.left.abort(why);
    return entry?.state === "taken";
  }

  /** As `leave`, for all files. */
  leaveAll(why: Error): void {
    for (const { left } of this.#entries.values()) left.abort(why);
  }

  /**
   * Removes a file from the queue.
   *
   * @param before called before other files of its group may be taken
   */
  remove(id: string, before: (removed: QueuedFile) => void = () => {}): QueuedFile | undefined {
    const entry = this.#entries.get(id);
    if (entry === undefined) return undefined;
    this.#entries.delete(id);
    this.#waiting.delete(entry);
    this.#ready.delete(entry);
    this.#open.delete(entry);
    const group = groupOf(entry.file);
    const others = this.#groups.get(group)!;
    others.delete(entry);
    if (others.size === 0) this.#groups.delete(group);
    before(entry);
    this.#lookAtGroup(group);
    return entry;
  }

  /**
   * Has the next file of a group sent from its very beginning, if nothing of it was sent;
   * `undefined` if there is no such file.
   */
  restart(group: string): QueuedFile | undefined {
    const [next] = this.#groups.get(group) ?? [];
    if (next === undefined || next.acked.before > 0 || next.state === "taken") return undefined;
    next.acked = { ...BEGINNING, isWhole: true };
    next.reader = next.reader.restarted(next.acked);
    return next;
  }

  /** Has a file read once more from where it was acknowledged, because reading it failed. */
  readAgain(queued: QueuedFile): void {
    const entry = queued as Entry;
    entry.reader = entry.reader.restarted(entry.acked);
  }

  /** From now on every file with a message is ready at once. */
  hurry(): void {
    this.#isHurried = true;
    for (const entry of this.#waiting) this.#makeReady(entry);
  }

  /** How many bytes wait, and since when the oldest of them do. */
  lag(): { readonly bytes: number; readonly oldest: number | undefined } {
    let bytes = 0;
    let oldest: number | undefined;
    for (const { file, acked, progress } of this.#entries.values()) {
      const size = Math.min(file.size, file.size < Infinity ? Infinity : file.line.bytes);
      const behind = Math.max(0, size - acked.offset);
      if (behind === 0) continue;
      bytes += behind;
      const since = progress.since(acked.offset);
      if (since !== undefined) oldest = Math.min(oldest ?? Infinity, since);
    }
    return { bytes, oldest };
  }

  /** Cancels the timer and closes all files. */
  close(): void {
    this.#callOff?.();
    for (const { reader } of this.#entries.values()) void reader.close().catch(() => {});
  }

  /** Looks at the files of a group up to the first that holds all others back: there may be thousands. */
  #lookAtGroup(group: string): void {
    for (const entry of this.#groups.get(group) ?? []) {
      this.#look(entry);
      if (entry.file.state !== "writing") break;
    }
  }

  #look(entry: Entry): void {
    const { file, reader, acked, progress } = entry;
    const { maxWaitMs } = this.#limits;
    progress.reached(file.size, this.#options.now());
    if (file.state === "left") return;
    if (entry.state === "taken" || entry.state === "ready") return;
    if (!(reader.hasMore || reader.isAtEnd) || this.#isBehind(entry)) return;
    const isEnough = reader.isAtEnd || file.state !== "writing" ||
      file.size - acked.offset >= fullBytes(this.#limits, entry.recordings);
    if (isEnough || this.#isHurried) return this.#makeReady(entry);
    if (entry.state === "waiting") return;
    entry.state = "waiting";
    const leastMs = maxWaitMs * TOGETHER_SHARE;
    entry.due = this.#options.now() + Math.max(leastMs, maxWaitMs - file.gatheredMs);
    this.#waiting.add(entry);
    this.#setTimer();
  }

  /**
   * Whether another file of its recording must be sent first. A file that is still being written
   * does not hold the next one back.
   */
  #isBehind(entry: Entry): boolean {
    for (const other of this.#groups.get(groupOf(entry.file))!) {
      if (other === entry) return false;
      if (other.file.state !== "writing") return true;
    }
    return false;
  }

  #makeReady(entry: Entry): void {
    this.#waiting.delete(entry);
    entry.state = "ready";
    this.#ready.add(entry);
    this.#options.onReady();
  }

  #setTimer(): void {
    if (this.#callOff !== undefined) return;
    const [first] = this.#waiting;
    if (first === undefined) return;
    this.#callOff = this.#options.timer(Math.max(0, first.due - this.#options.now()), () => {
      this.#callOff = undefined;
      const until = this.#options.now() + this.#limits.maxWaitMs * TOGETHER_SHARE;
      for (const entry of this.#waiting) {
        if (entry.due > until) break;
        this.#makeReady(entry);
      }
      this.#setTimer();
    });
  }
}

/**
 * How many bytes make a batch full.
 *
 * @param limits of batches
 * @param recordings how many the batch has, as far as is known
 */
export function fullBytes(
  { maxBytes, maxRecordingBytes = maxBytes }: BatchLimits,
  recordings = 1,
): number {
  return Math.min(maxBytes, maxRecordingBytes * recordings);
}

/**
 * Limits of batches that go beyond neither what may be in memory nor what may be sent in a second, where
 * a batch of several recordings would: it goes whole, and the next one waits for as long as it is large.
 *
 * @param limits of the target; what it takes of one recording is not made less
 * @param mostBytes in memory, or in a second
 */
export function limitedBatches(limits: BatchLimits, ...mostBytes: readonly number[]): BatchLimits {
  const least = fullBytes(limits);
  return { ...limits, maxBytes: Math.max(least, Math.min(limits.maxBytes, ...mostBytes)) };
}

function groupOf({ id, line: { group } }: JournaledFile): string {
  return group ?? id;
}
