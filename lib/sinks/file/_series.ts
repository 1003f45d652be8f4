/**
 * The files of one recording and encoding, one after the other: each opens alone, and after a
 * failure of the disk the next is tried with back-off.
 *
 * @module
 */
import type { RrdHeader } from "../../encoding/rrd_header.ts";
import { type Entry, takenEntry } from "./_entry.ts";
import { tellBroken, tellFull, tellNoFile, tellTooLarge } from "./_file_trouble.ts";
import { applicationOf } from "../../stores/introduction.ts";
import { PartBlueprints } from "./_part_blueprints.ts";
import type { Numbered } from "./parts/part_opener.ts";
import type { RrdWriter } from "./writer/rrd_writer.ts";
import type { SeriesHost, SeriesOwner } from "./_series_host.ts";
import type { Store } from "../../stores/store_memory.ts";
import type { Kept } from "../../stores/kept.ts";
import { Backoff, isRotationDue } from "./rotation.ts";
import type { Tally } from "../../base/tally.ts";

/** The files of one recording and encoding; sequential, the caller awaits what is returned. */
export class Series {
  /** The open file. */
  writer: RrdWriter | undefined;
  /** What its names are made of. */
  readonly names: Numbered;

  readonly #host: SeriesHost<Series>;
  readonly #recording: object | undefined;
  readonly #backoff = new Backoff();
  /** Of the open file. */
  #part: PartBlueprints;
  #lastStore: Store | undefined;
  /** Under which the last message came that is not of a blueprint, and whose it is. */
  #header: RrdHeader | undefined;
  #store: Store | undefined;
  #openedAt = 0;
  /** The file before, until it is closed. */
  #finishing: Promise<void> | undefined;
  /** What a file did not take goes to the next, before anything else does. */
  #carrying: Promise<void> | undefined;
  readonly #full: RrdWriter[] = [];
  readonly #finished = new WeakMap<RrdWriter, Promise<void>>();
  readonly #rest: { readonly header: RrdHeader; readonly bytes: Uint8Array }[] = [];
  /** What is still to be said of files that failed. */
  #reporting: Promise<void> = Promise.resolve();

  /**
   * @param host what it shares with the others
   * @param owner whose files they are
   * @param sibling which encoding it is for, if others came before
   */
  constructor(host: SeriesHost<Series>, owner: SeriesOwner, readonly sibling: string | undefined) {
    this.#host = host;
    this.names = owner.names;
    this.#recording = owner.recording;
    this.#part = new PartBlueprints(host.blueprints, this.#recording, host.date);
  }

  /** Takes the file that was opened beforehand. */
  begin(writer: RrdWriter): void {
    this.writer = writer;
    writer.onFailed = (lost) => this.#fail(writer, lost);
    writer.onFull = (rest) => this.#outgrow(writer, rest);
    const { blueprints, date, now } = this.#host;
    writer.onWritten = () => this.#backoff.worked(now());
    this.#part = new PartBlueprints(blueprints, this.#recording, date);
    this.#lastStore = undefined;
    this.#header = undefined;
    this.#store = undefined;
    this.#openedAt = now();
  }

  /** Puts a message into the open file, or into the next one. */
  add(entry: Entry): Promise<void> | undefined {
    const { writer } = this;
    if (this.#carrying !== undefined) return this.#carrying.then(() => this.add(entry));
    // No file begins because of a blueprint.
    const isBlueprint = entry.store?.id.kind === "Blueprint";
    if (writer === undefined || (!isBlueprint && this.#isDue(writer, entry.bytes.length))) {
      return this.#addToNext(entry);
    }
    this.#put(writer, entry);
    return undefined;
  }

  /** Begins to write what was gathered; tells whether there was anything. */
  flush(): boolean {
    const { writer } = this;
    if (writer === undefined) return false;
    if (this.#part.isBehind && writer.failure === undefined) {
      const [header, store] = [this.#header, this.#store];
      if (header && store) this.#write(writer, this.#part.update(header, store));
    }
    return writer.flush();
  }

  /** Whether it has a file, or is about to. */
  get isOpen(): boolean {
    return this.writer !== undefined || this.#carrying !== undefined;
  }

  /** Resolves when all that was gathered is written, or lost. */
  async drain(): Promise<void> {
    do {
      await this.#carrying;
      await this.writer?.drain();
    } while (this.#carrying !== undefined);
  }

  /** Gives up what waits. */
  cut(): void {
    if (this.writer !== undefined) this.#host.files.lose(this.writer.cut());
  }

  /** Finishes the open file if it is old enough; the next message opens another. */
  async rotate(): Promise<void> {
    const { writer } = this;
    if (writer?.hasMessages && this.#isDue(writer, 0)) await this.#retire();
  }

  /**
   * Finishes the open file in the background; the next message opens another, behind it. Resolves when
   * the system has it back; never rejects.
   */
  finish(): Promise<void> {
    const { writer } = this;
    this.writer = undefined;
    const before = this.#finishing ?? Promise.resolve();
    this.#finishing = before.then(() => writer && this.#seal(writer));
    const finished = before.then(() => writer && this.#finish(writer)).catch(() => {});
    for (const waiting of [this.#finishing, finished]) this.#host.files.track(waiting);
    return finished;
  }

  /**
   * Finishes all files; the next message opens another.
   *
   * @throws whatever the disk says
   */
  async close(): Promise<void> {
    try {
      do {
        await this.#carrying;
        const { writer } = this;
        this.writer = undefined;
        await Promise.all([this.#finishing, writer && this.#finish(writer)]);
      } while (this.isOpen);
    } finally {
      await this.#reporting;
    }
  }

  #isDue(writer: RrdWriter, bytes: number): boolean {
    const { rotation, now } = this.#host;
    // A file whose first message alone is over the limit is not rotated for it.
    const then = writer.size - writer.repeatedBytes + bytes;
    return writer.hasMessages && isRotationDue(rotation, then, () => now() - this.#openedAt);
  }

  /** The written file is finished beside the next one's taking; before that, the one before must be. */
  async #retire(): Promise<void> {
    await this.#finishing;
    // Nothing of the next file is written before all of this one: a crash leaves no hole.
    await this.drain();
    const { writer } = this;
    if (writer === undefined) return;
    this.writer = undefined;
    this.#finishing = this.#seal(writer);
  }

  /** Finishes a file; resolves when all of it is on the disk: nobody waits for its index. Never rejects. */
  #seal(writer: RrdWriter): Promise<void> {
    const finishing = this.#finish(writer).catch(() => {});
    this.#host.files.track(finishing);
    return Promise.race([finishing, writer.sealed]);
  }

  /** Once for each file: one that turns out to be full may be about to be closed. */
  #finish(writer: RrdWriter): Promise<void> {
    const known = this.#finished.get(writer) ?? this.#finishOnce(writer);
    this.#finished.set(writer, known);
    return known;
  }

  async #finishOnce(writer: RrdWriter): Promise<void> {
    const { failure } = writer;
    try {
      await writer.close();
    } catch (error) {
      await this.#reporting;
      // What failed before is reported.
      if (failure === undefined) throw error;
      return;
    }
    await this.#host.files.closed(writer);
  }

  async #addToNext(entry: Entry): Promise<void> {
    const { now } = this.#host;
    if (this.writer?.isSizeOpen) {
      await this.drain();
      const { writer } = this;
      if (writer !== undefined && !this.#isDue(writer, entry.bytes.length)) {
        return this.#put(writer, entry);
      }
    }
    await this.#retire();
    if (!this.#backoff.mayTry(now())) {
      return this.#host.files.lose({ messages: 1, bytes: entry.bytes.length });
    }
    const opened = this.#host.files.open(this);
    const next = await opened.catch((error) => this.#notOpened(entry, error));
    if (next !== undefined) this.#put(next, entry);
  }

  #put(writer: RrdWriter, entry: Entry): void {
    const { header, bytes, store, kept } = entry;
    if (writer.header !== undefined) this.#host.versions.look(writer, header);
    if (store !== undefined && kept !== undefined) {
      return this.#write(writer, this.#part.message(header, store));
    }
    this.#part.received(bytes.length);
    if (store?.id.kind === "Recording") {
      this.#header = header;
      this.#store = store;
    }
    writer.hasData ||= entry.isData;
    if (store === undefined || store === this.#lastStore || this.#part.introduces(store)) {
      this.#lastStore = store ?? this.#lastStore;
      return writer.add(header, bytes);
    }
    this.#lastStore = store;
    if (store.id.kind === "Recording") {
      writer.target.note?.holds(applicationOf(store), store.id.id);
    }
    if (entry.announces) writer.add(header, bytes);
    this.#write(writer, this.#part.introduction(entry));
    if (!entry.announces) writer.add(header, bytes);
    const { maxBytes = Infinity } = this.#host.rotation;
    const { path, repeatedBytes } = writer;
    if (repeatedBytes > maxBytes) this.#host.warnings.longBeginning(path, repeatedBytes, maxBytes);
  }

  /** Writes what is kept; a blueprint that no file has yet counts as received. */
  #write(writer: RrdWriter, messages: Iterable<Kept>): void {
    for (const kept of messages) {
      const { header, bytes, isNew = false } = kept;
      writer.add(header, bytes, isNew);
      kept.isNew = false;
    }
  }

  /** The file can't grow, as on FAT32: nothing is lost by that but a message that no file can take. */
  #outgrow(writer: RrdWriter, rest: readonly Kept[]): void {
    const { log } = this.#host;
    const { path } = writer;
    const [first, ...others] = rest;
    if (writer.written.messages === 0 && first !== undefined) {
      this.#host.files.lose({ messages: 1, bytes: first.bytes.length });
      tellTooLarge(log, path, first.bytes.length);
      // What it begins with stands in it.
      for (const { header, bytes } of others) writer.add(header, bytes);
      return;
    }
    tellFull(log, path);
    if (this.writer === writer) this.writer = undefined;
    this.#full.push(writer);
    // Before what another file did not take.
    this.#rest.unshift(...rest);
    if (this.#carrying !== undefined) return;
    this.#carrying = this.#carry().finally(() => this.#carrying = undefined);
    this.#host.files.track(this.#carrying);
  }

  async #carry(): Promise<void> {
    while (this.#full.length + this.#rest.length > 0) {
      const full = this.#full.shift();
      if (full !== undefined) {
        // Nothing of the next file is written before all of this one: a crash leaves no hole.
        this.#finishing = this.#seal(full);
        await this.#finishing;
        continue;
      }
      const { header, bytes } = this.#rest.shift()!;
      const entry = takenEntry(header, bytes, this.#host.memory);
      try {
        this.#put(this.writer ?? await this.#host.files.open(this), entry);
      } catch (error) {
        this.#notOpened(entry, error);
      }
    }
  }

  #notOpened(entry: Entry, error: unknown): void {
    const { log, now } = this.#host;
    this.#host.files.lose({ messages: 1, bytes: entry.bytes.length });
    if (this.#backoff.failed(now()) === 1) tellNoFile(log, error);
  }

  #fail(writer: RrdWriter, lost: Tally): void {
    const { log, now } = this.#host;
    const { path, written } = writer;
    if (this.writer === writer) this.writer = undefined;
    this.#host.files.lose(lost);
    const tries = this.#backoff.failed(now());
    this.#reporting = Promise.all([this.#reporting, writer.mended]).then(async () => {
      if (tries === 1 || written.messages > 0) {
        tellBroken(log, path, written, lost, writer.failure);
      }
      await this.#host.files.closed(writer, writer.failure);
    });
    this.#host.files.track(this.#reporting);
  }
}
