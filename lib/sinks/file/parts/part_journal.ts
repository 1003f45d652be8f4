/**
 * What those are told who read recordings behind the writer, and which files wait for them.
 *
 * @module
 */
import type { FileLine } from "./_index_line.ts";
import { Ranges } from "./_ranges.ts";
import { RecentBytes } from "./recent_bytes.ts";

/** A file that some reader has not read to its end. */
export interface JournaledFile {
  /** Random, and of no other file. */
  readonly id: string;
  /** What the index says of it. */
  readonly line: FileLine;
  /**
   * `writing`: messages come; `ended`: none come any more; `left`: an earlier run left it, and it may
   * not be read before it is recovered; `closed`: it has its name; `gone`: it is not there any more.
   */
  readonly state: "writing" | "ended" | "left" | "closed" | "gone";
  /** Whether it has its chunk index, or gets none in this run. */
  readonly isReady: boolean;
  /** Up to where it may be read, in bytes; infinite for what an earlier run closed: to its end. */
  readonly size: number;
  /** Which of its messages stand in earlier files, too, by how many stand before them. */
  readonly repeats: Ranges;
}

/** What came to pass with a file. */
export type JournalEvent = "begun" | "reached" | "ended" | "closed" | "ready" | "skipped" | "gone";

/** Reads files behind the writer. */
export interface JournalReader {
  /** Called at once, and may not wait for anything. */
  changed(file: JournaledFile, event: JournalEvent): void;
}

/** The files of one pattern, in the order in which they were begun, until all readers are done with them. */
export class PartJournal {
  readonly #files = new Map<string, Kept>();
  /** Ids by name, of those. */
  readonly #ids = new Map<string, string>();
  readonly #readers = new Set<JournalReader>();
  /** What was written last, for readers who are right behind. */
  readonly recent: RecentBytes = new RecentBytes();
  /** Called when a file is read to its end by all, and has its chunk index where it is to have one. */
  onSettled: (line: FileLine) => void = () => {};
  /** How a store was announced in an earlier file or run, by its key. */
  announcementOf: (
    store: string,
  ) => { readonly header: Uint8Array; readonly message: Uint8Array } | undefined = () => undefined;

  /** Adds one who reads. All must be added before the first file is. */
  join(reader: JournalReader): void {
    this.#readers.add(reader);
  }

  /** Takes one out; files do not wait for it any more. */
  leave(reader: JournalReader): void {
    this.#readers.delete(reader);
    for (const file of [...this.#files.values()]) this.#look(file);
  }

  /** Tells nobody anything any more: another program goes on with it. */
  end(): void {
    this.#readers.clear();
  }

  /** The files, in the order in which they were begun. */
  get files(): Iterable<JournaledFile> {
    return this.#files.values();
  }

  /** Whether some reader needs the file of that name. */
  isHeld(name: string): boolean {
    const file = this.#files.get(this.#ids.get(name) ?? "");
    return file !== undefined && file.settled.size < this.#readers.size;
  }

  /** A reader has read it to its end. */
  settle(reader: JournalReader, id: string): void {
    const file = this.#files.get(id);
    if (file === undefined) return;
    file.settled.add(reader);
    this.#look(file);
  }

  // ------------------------------------------------------------------------- told by the index

  /** A file of an earlier run. */
  known(line: FileLine, repeats: Ranges = new Ranges()): void {
    const isClosed = line.state === "closed";
    const isReady = isClosed && line.footer !== "pending";
    this.#add(line, { state: isClosed ? "closed" : "left", isReady, size: Infinity, repeats });
  }

  /** A file of this run is to be made. */
  begun(line: FileLine): void {
    this.recent.begin(line.id);
    this.#add(line, { state: "writing", isReady: false, size: 0, repeats: new Ranges() });
  }

  repeats(id: string, at: number, count: number): void {
    this.#files.get(id)?.repeats.add(at, count);
  }

  /** Something was written to its end, which may not be read before it is told how far. */
  wrote(id: string, bytes: Uint8Array): void {
    this.recent.add(id, bytes);
  }

  reached(id: string, size: number): void {
    const file = this.#files.get(id);
    if (file === undefined || file.size === size) return;
    file.size = size;
    this.#tell(file, "reached");
  }

  ended(id: string): void {
    const file = this.#files.get(id);
    if (file?.state !== "writing") return;
    file.state = "ended";
    this.#tell(file, "ended");
  }

  /** What the index says has changed. */
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

  /** It has its chunk index, or gets none in this run. */
  ready(id: string): void {
    const file = this.#files.get(id);
    if (file === undefined || file.isReady || file.state !== "closed") return;
    file.isReady = true;
    this.#tell(file, "ready");
    this.#look(file);
  }

  /** It can't be recovered in this run: nobody waits for it, and the next start tries again. */
  skipped(id: string): void {
    const file = this.#files.get(id);
    if (file !== undefined) this.#tell(file, "skipped");
  }

  /** It is not there any more. */
  gone(id: string | undefined, name: string): void {
    const file = this.#files.get(id ?? this.#ids.get(name) ?? "");
    if (file === undefined) return;
    file.state = "gone";
    this.#forget(file);
    this.#tell(file, "gone");
  }

  #add(line: FileLine, known: Pick<Kept, "state" | "isReady" | "size" | "repeats">): void {
    const file: Kept = { id: line.id, line, settled: new Set(), ...known };
    this.#files.set(line.id, file);
    this.#ids.set(line.name, line.id);
    this.#tell(file, "begun");
  }

  #tell(file: Kept, event: JournalEvent): void {
    for (const reader of this.#readers) if (!file.settled.has(reader)) reader.changed(file, event);
  }

  #look(file: Kept): void {
    if (!file.isReady || file.settled.size < this.#readers.size) return;
    if (this.#readers.size === 0) return;
    this.#forget(file);
    this.onSettled(file.line);
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
  /** Who has read it to its end. */
  readonly settled: Set<JournalReader>;
}
