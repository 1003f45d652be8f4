/**
 * Tells followers what becomes of files, and remembers which files they have not finished.
 *
 * @module
 */
import type { FileLine } from "./_index_line.ts";
import { Ranges } from "./_ranges.ts";
import { RecentBytes } from "./recent_bytes.ts";

/** A file that some reader has not finished. */
export interface JournaledFile {
  /** The random id of the file. */
  readonly id: string;
  /** What the index says of it. */
  readonly line: FileLine;
  /**
   * `writing`: messages come; `ended`: none come any more; `left`: an earlier run left it, and it may
   * not be read before it is recovered; `closed`: it has its name; `gone`: it is not there any more.
   */
  readonly state: "writing" | "ended" | "left" | "closed" | "gone";
  /** Whether it has its chunk index, or will get none in this run. */
  readonly isReady: boolean;
  /** Up to where it may be read, in bytes; infinite for files that an earlier run closed. */
  readonly size: number;
  /** For how long messages waited for others before they were written last, in milliseconds. */
  readonly gatheredMs: number;
  /** Positions of its messages that are repeated from earlier files. */
  readonly repeats: Ranges;
}

/** What happened to a file. */
export type JournalEvent = "begun" | "reached" | "ended" | "closed" | "ready" | "skipped" | "gone";

/** Reads files behind the writer. */
export interface JournalReader {
  /** Called when something happens to a file; must not wait for anything. */
  changed(file: JournaledFile, event: JournalEvent): void;
  /**
   * Called when a file is not there any more that this reader has finished, so that it need not remember
   * it.
   *
   * @param id of the file
   */
  removed?(id: string): void;
  /** Called with the ids of all files of earlier runs, once these are known. */
  knows?(ids: ReadonlySet<string>): void;
  /** Told of files that are not read, since the index names none of them: it was lost, or they were copied. */
  strangers?(names: readonly string[]): void;
}

/**
 * The files of one pattern, in the order in which they were begun, until all readers have finished
 * them.
 */
export class PartJournal {
  readonly #files = new Map<string, Kept>();
  /** Ids of these files by name. */
  readonly #ids = new Map<string, string>();
  /** Ids of files on the disk that all readers have finished, by name. */
  readonly #finished = new Map<string, string>();
  readonly #readers = new Set<JournalReader>();
  readonly #onRestored: (() => void)[] = [];
  /** The bytes that were written last, for readers that are close behind the writer. */
  readonly recent: RecentBytes = new RecentBytes();
  /**
   * Called when all readers have finished a file, and it has its chunk index if it is to have one.
   */
  onFinished: (line: FileLine) => void = () => {};
  /** Gives how a store was announced in an earlier file or run, by its key. */
  announcementOf: (
    store: string,
  ) => { readonly header: Uint8Array; readonly message: Uint8Array } | undefined = () => undefined;

  /** Whether files that are missing now may come back, as where a drive was taken out. */
  isAway: () => Promise<boolean> = () => Promise.resolve(false);

  /** Adds a reader. All must be added before the first file. */
  join(reader: JournalReader): void {
    this.#readers.add(reader);
  }

  /** Takes a reader out; files do not wait for it any more. */
  leave(reader: JournalReader): void {
    this.#readers.delete(reader);
    for (const file of [...this.#files.values()]) this.#look(file);
  }

  /** Has a task called whenever the index was written again that somebody removed, alone or with its folder. */
  onRestored(task: () => void): void {
    this.#onRestored.push(task);
  }

  /** Tells readers nothing any more, because another program takes over. */
  end(): void {
    this.#readers.clear();
  }

  /** The files, in the order in which they were begun. */
  get files(): Iterable<JournaledFile> {
    return this.#files.values();
  }

  /** Whether some reader still needs the file of that name. */
  isHeld(name: string): boolean {
    const file = this.#files.get(this.#ids.get(name) ?? "");
    return file !== undefined && file.finishedBy.size < this.#readers.size;
  }

  /** Says that a reader has finished a file. */
  finished(reader: JournalReader, id: string): void {
    const file = this.#files.get(id);
    if (file === undefined) return;
    file.finishedBy.add(reader);
    this.#look(file);
  }

  // ------------------------------------------------------------------------- told by the index

  /** Says that the index was written again that somebody had removed. */
  restored(): void {
    for (const task of this.#onRestored) task();
  }

  /** Adds a file of an earlier run. */
  known(line: FileLine, repeats: Ranges = new Ranges()): void {
    const isClosed = line.state === "closed";
    const isReady = isClosed && line.footer !== "pending";
    this.#add(line, { state: isClosed ? "closed" : "left", isReady, size: Infinity, repeats });
  }

  /** Says that all files of earlier runs were added, and that no others are on the disk. */
  knowsAll(ids: ReadonlySet<string>): void {
    for (const reader of this.#readers) reader.knows?.(ids);
  }

  /** Says which files have names as ours, though the index names none of them; after all others were added. */
  found(names: readonly string[]): void {
    const strangers = names.filter((name) => !this.#ids.has(name) && !this.#finished.has(name));
    if (strangers.length === 0) return;
    for (const reader of this.#readers) reader.strangers?.(strangers);
  }

  /** Adds a file that is about to be made. */
  begun(line: FileLine): void {
    this.recent.begin(line.id);
    this.#add(line, { state: "writing", isReady: false, size: 0, repeats: new Ranges() });
  }

  repeats(id: string, at: number, count: number): void {
    this.#files.get(id)?.repeats.add(at, count);
  }

  /**
   * Takes what was written to the end of a file; it may be read only after the file has `reached`
   * that length.
   */
  wrote(id: string, bytes: Uint8Array): void {
    this.recent.add(id, bytes);
  }

  reached(id: string, size: number, gatheredMs = 0): void {
    const file = this.#files.get(id);
    if (file === undefined || file.size === size) return;
    file.size = size;
    file.gatheredMs = gatheredMs;
    this.#tell(file, "reached");
  }

  ended(id: string): void {
    const file = this.#files.get(id);
    if (file?.state !== "writing") return;
    file.state = "ended";
    this.#tell(file, "ended");
  }

  /** Takes what the index says of a file now. */
  noted(line: FileLine): void {
    const file = this.#files.get(line.id);
    if (file === undefined) return;
    this.#ids.delete(file.line.name);
    this.#ids.set(line.name, line.id);
    file.line = line;
    const isClosed = line.state === "closed";
    if (isClosed && file.state !== "closed") {
      file.state = "closed";
      this.#tell(file, "closed");
    }
    if (isClosed && line.footer !== "pending") this.ready(line.id);
  }

  /** Says that a file has its chunk index, or will get none in this run. */
  ready(id: string): void {
    const file = this.#files.get(id);
    if (file === undefined || file.isReady || file.state !== "closed") return;
    file.isReady = true;
    this.#tell(file, "ready");
    this.#look(file);
  }

  /**
   * Says that a file can't be recovered in this run: nobody waits for it, and the next start tries
   * again.
   */
  skipped(id: string): void {
    const file = this.#files.get(id);
    if (file !== undefined) this.#tell(file, "skipped");
  }

  /** Says that a file is not there any more. */
  gone(id: string | undefined, name: string): void {
    const file = this.#files.get(id ?? this.#ids.get(name) ?? "");
    if (file === undefined) return this.#goneFinished(name);
    file.state = "gone";
    this.#forget(file);
    this.#tell(file, "gone");
    for (const reader of file.finishedBy) reader.removed?.(file.id);
  }

  #goneFinished(name: string): void {
    const id = this.#finished.get(name);
    if (id === undefined) return;
    this.#finished.delete(name);
    for (const reader of this.#readers) reader.removed?.(id);
  }

  #add(line: FileLine, known: Pick<Kept, "state" | "isReady" | "size" | "repeats">): void {
    this.#goneFinished(line.name); // somebody removed the one that had this name
    const file: Kept = { id: line.id, line, gatheredMs: 0, finishedBy: new Set(), ...known };
    this.#files.set(line.id, file);
    this.#ids.set(line.name, line.id);
    this.#tell(file, "begun");
  }

  #tell(file: Kept, event: JournalEvent): void {
    for (const reader of this.#readers) {
      if (!file.finishedBy.has(reader)) reader.changed(file, event);
    }
  }

  #look(file: Kept): void {
    if (!file.isReady || file.finishedBy.size < this.#readers.size) return;
    if (this.#readers.size === 0) return;
    this.#forget(file);
    this.#finished.set(file.line.name, file.id);
    this.onFinished(file.line);
  }

  #forget({ id, line: { name } }: Kept): void {
    this.#files.delete(id);
    this.recent.drop(id);
    if (this.#ids.get(name) === id) this.#ids.delete(name);
  }
}

interface Kept extends JournaledFile {
  line: FileLine;
  state: JournaledFile["state"];
  isReady: boolean;
  size: number;
  gatheredMs: number;
  /** The readers that have finished it. */
  readonly finishedBy: Set<JournalReader>;
}
