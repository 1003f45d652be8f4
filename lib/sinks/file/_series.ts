/**
 * The files of one recording and encoding, one after another: each can be opened alone, and after a
 * failure of the disk the next one is tried with back-off.
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

/**
 * The files of one recording and encoding; the caller must await each promise before the next call.
 */
export class Series {
  /** The open file. */
  writer: RrdWriter | undefined;
  /** What the names of its files are made of. */
  readonly names: Numbered;

  readonly #host: SeriesHost<Series>;
  readonly #recording: object | undefined;
  readonly #backoff = new Backoff();
  /** The blueprints of the open file. */
  #part: PartBlueprints;
  #lastStore: Store | undefined;
  /** Header and store of the last message that is not of a blueprint. */
  #header: RrdHeader | undefined;
  #store: Store | undefined;
  #openedAt = 0;
  /** Resolves when the file before is closed; `undefined` if there is none to wait for. */
  #finishing: Promise<void> | undefined;
  /**
   * Resolves when the next file has what the full one did not take, which comes before anything
   * else.
   */
  #carrying: Promise<void> | undefined;
  readonly #full: RrdWriter[] = [];
  readonly #finished = new WeakMap<RrdWriter, Promise<void>>();
  readonly #rest: { readonly header: RrdHeader; readonly bytes: Uint8Array }[] = [];
  /** Resolves when the log says all about files that failed. */
  #reporting: Promise<void> = Promise.resolve();

  /**
   * @param host what it shares with the others
   * @param owner the recordings that the files are of
   * @param sibling the encoding, if it is not the first of these recordings
   */
  constructor(host: SeriesHost<Series>, owner: SeriesOwner, readonly sibling: string | undefined) {
    this.#host = host;
    this.names = owner.names;
    this.#recording = owner.recording;
    this.#part = new PartBlueprints(host.blueprints, this.#recording, host.date);
  }

  /** Goes on with a file that was opened before. */
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
    if (this.#carrying !== undefined) return this.#carrying.then(() => this.add(entry));
    if (this.begins(entry)) return this.#addToNext(entry);
    this.#put(this.writer!, entry);
    return undefined;
  }

  /** Whether a message goes into a file that is not there yet. */
  begins({ store, length }: Entry): boolean {
    const { writer } = this;
    if (this.#carrying !== undefined) return false;
    if (writer === undefined) return true;
    // A blueprint alone begins no file.
    return store?.id.kind !== "Blueprint" && this.#isDue(writer, length);
  }

  /** Begins to write what was gathered; returns whether there was as much as `minBytes`. */
  flush(minBytes?: number): boolean {
    const { writer } = this;
    if (writer === undefined) return false;
    if (this.#part.isBehind && writer.failure === undefined) {
      const [header, store] = [this.#header, this.#store];
      if (header && store) this.#write(writer, this.#part.update(header, store));
    }
    return writer.flush(minBytes);
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

  /** Gives up what waits to be written. */
  cut(): void {
    if (this.writer !== undefined) this.#host.files.lose(this.writer.cut());
  }

  /** Finishes the open file if it is old enough; the next message opens another. */
  async rotate(): Promise<void> {
    const { writer } = this;
    if (writer?.hasMessages && this.#isDue(writer, 0)) await this.#retire();
  }

  /**
   * Finishes the open file in the background; the next message opens another one. Resolves when the
   * file is closed; never rejects.
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
    // A file with a single message that is over the limit is not rotated for that.
    const then = writer.size - writer.repeatedBytes + bytes;
    return writer.hasMessages && isRotationDue(rotation, then, () => now() - this.#openedAt);
  }

  /**
   * Finishes the open file in the background, while the next one takes messages, once the file
   * before it is finished.
   */
  async #retire(): Promise<void> {
    await this.#finishing;
    // Nothing of the next file is written before all of this one, so that a crash leaves no hole.
    await this.drain();
    const { writer } = this;
    if (writer === undefined) return;
    this.writer = undefined;
    this.#finishing = this.#seal(writer);
  }

  /**
   * Finishes a file. Resolves when all messages are on the disk, and does not wait for the chunk
   * index; never rejects.
   */
  #seal(writer: RrdWriter): Promise<void> {
    const finishing = this.#finish(writer).catch(() => {});
    this.#host.files.track(finishing);
    return Promise.race([finishing, writer.sealed]);
  }

  /** Finishes a file only once: one that turns out to be full may be about to be closed already. */
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
      // An earlier failure was reported already.
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
      if (writer !== undefined && !this.#isDue(writer, entry.length)) {
        return this.#put(writer, entry);
      }
    }
    await this.#retire();
    if (!this.#backoff.mayTry(now())) {
      return this.#host.files.lose({ messages: 1, bytes: entry.length });
    }
    const opened = this.#host.files.open(this);
    const next = await opened.catch((error) => this.#notOpened(entry, error));
    if (next !== undefined) this.#put(next, entry);
  }

  #put(writer: RrdWriter, entry: Entry): void {
    const { header, parts, store, kept } = entry;
    if (writer.header !== undefined) this.#host.versions.look(writer, header);
    if (store !== undefined && kept !== undefined) {
      return this.#write(writer, this.#part.message(header, store));
    }
    this.#part.received(entry.length);
    if (store?.id.kind === "Recording") {
      this.#header = header;
      this.#store = store;
    }
    writer.hasData ||= entry.isData;
    if (store === undefined || store === this.#lastStore || this.#part.introduces(store)) {
      this.#lastStore = store ?? this.#lastStore;
      return writer.add(header, parts);
    }
    this.#lastStore = store;
    if (store.id.kind === "Recording") {
      writer.target.note?.holds(applicationOf(store), store.id.id);
    }
    if (entry.announces) writer.add(header, parts);
    this.#write(writer, this.#part.introduction(entry));
    if (!entry.announces) writer.add(header, parts);
    const { maxBytes = Infinity } = this.#host.rotation;
    const { path, repeatedBytes } = writer;
    if (repeatedBytes > maxBytes) this.#host.warnings.longBeginning(path, repeatedBytes, maxBytes);
  }

  /** Writes kept messages; a blueprint that no file has yet counts as received. */
  #write(writer: RrdWriter, messages: Iterable<Kept>): void {
    for (const kept of messages) {
      const { header, bytes, isNew = false } = kept;
      writer.add(header, [bytes], isNew);
      kept.isNew = false;
    }
  }

  /**
   * Goes on in another file because this one can't grow, as on FAT32. Nothing is lost but a message
   * that no file can take.
   */
  #outgrow(writer: RrdWriter, rest: readonly Kept[]): void {
    const { log } = this.#host;
    const { path } = writer;
    const [first, ...others] = rest;
    if (writer.written.messages === 0 && first !== undefined) {
      this.#host.files.lose({ messages: 1, bytes: first.bytes.length });
      tellTooLarge(log, path, first.bytes.length);
      // What the next file begins with is in it by now.
      for (const { header, bytes } of others) writer.add(header, [bytes]);
      return;
    }
    tellFull(log, path);
    if (this.writer === writer) this.writer = undefined;
    this.#full.push(writer);
    // These come before messages that another file did not take.
    this.#rest.unshift(...rest);
    if (this.#carrying !== undefined) return;
    this.#carrying = this.#carry().finally(() => this.#carrying = undefined);
    this.#host.files.track(this.#carrying);
  }

  async #carry(): Promise<void> {
    while (this.#full.length + this.#rest.length > 0) {
      const full = this.#full.shift();
      if (full !== undefined) {
        // Nothing of the next file is written before all of this one, so that a crash leaves no hole.
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
    this.#host.files.lose({ messages: 1, bytes: entry.length });
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
