/**
 * The files of one recording and encoding, one after the other: each opens alone, and after a
 * failure of the disk the next is tried with back-off.
 *
 * @module
 */
import type { FileAdapter } from "../adapters/types.ts";
import type { RrdHeader } from "../encoding/rrd_header.ts";
import { reason } from "../errors.ts";
import type { Log } from "../log.ts";
import { introduction } from "./_introduction.ts";
import type { Numbered } from "./_part_opener.ts";
import type { RrdWriter } from "./_rrd_writer.ts";
import type { Store, StoreMemory } from "./_store_memory.ts";
import { Backoff, isRotationDue, type Rotation } from "./rotation.ts";
import type { Tally } from "./sink.ts";

/** What all series share. */
export interface SeriesHost {
  readonly adapter: FileAdapter;
  readonly log: Log;
  readonly memory: StoreMemory;
  readonly rotation: Rotation;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Milliseconds since the Unix epoch. */
  readonly date: () => number;
  /** Makes the next file. */
  open(series: Series): Promise<RrdWriter>;
  /** Called when a file has its name, or had to be given up. */
  closed(writer: RrdWriter, error?: unknown): Promise<void> | void;
  lose(lost: Tally): void;
  /** Called at each version that differs from the file's. */
  otherVersion(writer: RrdWriter, header: RrdHeader): void;
}

/** A message on its way into a file. */
export interface Entry {
  readonly header: RrdHeader;
  readonly bytes: Uint8Array;
  readonly store: Store | undefined;
  /** Whether it announces its store. */
  readonly announces: boolean;
  /** `false` for a copy of what is counted elsewhere. */
  readonly counts: boolean;
}

/** See the module; sequential, the caller awaits what is returned. */
export class Series {
  /** The open file. */
  writer: RrdWriter | undefined;
  /** What its names are made of. */
  readonly names: Numbered;

  readonly #host: SeriesHost;
  readonly #backoff = new Backoff();
  #introduced = new WeakSet<Store>();
  #lastStore: Store | undefined;
  #openedAt = 0;

  /**
   * @param host what it shares with the others
   * @param names what its files' names are made of
   * @param sibling which encoding it is for, if others came before
   */
  constructor(host: SeriesHost, names: Numbered, readonly sibling: string | undefined) {
    this.#host = host;
    this.names = names;
  }

  /** Takes the file that was opened beforehand. */
  begin(writer: RrdWriter): void {
    this.writer = writer;
    this.#introduced = new WeakSet();
    this.#lastStore = undefined;
    this.#openedAt = this.#host.now();
  }

  /** Puts a message into the open file, or into the next one. */
  add(entry: Entry): Promise<void> | undefined {
    const { writer } = this;
    const { header, bytes, store } = entry;
    if (writer === undefined || this.#isDue(writer, bytes.length)) return this.#addToNext(entry);
    if (writer.header !== undefined) this.#host.otherVersion(writer, header);
    if (store !== undefined && store !== this.#lastStore) {
      if (!this.#introduced.has(store)) return this.#addIntroduced(writer, entry);
      this.#lastStore = store;
    }
    return this.#settle(writer, writer.add(header, bytes, entry.counts));
  }

  /** Writes what was gathered. */
  flush(): Promise<void> | undefined {
    const { writer } = this;
    return writer === undefined ? undefined : this.#settle(writer, writer.flush());
  }

  /**
   * Finishes the open file; the next message opens another.
   *
   * @throws whatever the disk says
   */
  async close(): Promise<void> {
    const { writer } = this;
    if (writer === undefined) return;
    await this.flush();
    this.writer = undefined;
    if (writer.error !== undefined) return;
    try {
      await writer.close();
    } catch (error) {
      await this.#host.closed(writer, error);
      throw error;
    }
    await this.#host.closed(writer);
  }

  #isDue(writer: RrdWriter, bytes: number): boolean {
    const { rotation, now } = this.#host;
    // A file whose first message alone is over the limit is not rotated for it.
    return writer.written.messages + writer.pendingMessages > 0 &&
      isRotationDue(rotation, writer.size + bytes, () => now() - this.#openedAt);
  }

  async #addToNext(entry: Entry): Promise<void> {
    const { log, now } = this.#host;
    try {
      await this.close();
    } catch (error) {
      const text = `A file was not closed cleanly: ${reason(error)}`;
      log.write("error", text, { kind: "file not closed" });
    }
    const lost = { messages: entry.counts ? 1 : 0, bytes: entry.counts ? entry.bytes.length : 0 };
    if (!this.#backoff.mayTry(now())) return this.#host.lose(lost);
    try {
      this.begin(await this.#host.open(this));
    } catch (error) {
      this.#host.lose(lost);
      if (this.#backoff.failed(now()) > 1) return;
      log.write(
        "error",
        `No file could be made, messages are lost until one can: ${reason(error)}`,
        { kind: "no file" },
      );
      return;
    }
    await this.add(entry);
  }

  async #addIntroduced(writer: RrdWriter, entry: Entry): Promise<void> {
    const store = entry.store!;
    this.#introduced.add(store);
    this.#lastStore = store;
    const { memory, date } = this.#host;
    const put = async (header: RrdHeader, bytes: Uint8Array, counts: boolean) => {
      if (writer.error === undefined) await this.#settle(writer, writer.add(header, bytes, counts));
      else if (counts) this.#host.lose({ messages: 1, bytes: bytes.length });
    };
    if (entry.announces) await put(entry.header, entry.bytes, entry.counts);
    for (const kept of introduction(entry, memory, this.#introduced, date())) {
      await put(writer.header ?? kept.header, kept.bytes, false);
    }
    if (!entry.announces) await put(entry.header, entry.bytes, entry.counts);
  }

  #settle(
    writer: RrdWriter,
    writing: Promise<Tally | undefined> | undefined,
  ): Promise<void> | undefined {
    return writing?.then(async (lost) => {
      if (lost !== undefined) await this.#fail(writer, lost);
      else this.#backoff.worked(this.#host.now());
    });
  }

  async #fail(writer: RrdWriter, lost: Tally): Promise<void> {
    const { log, now } = this.#host;
    const { path, written, error } = writer;
    if (this.writer === writer) this.writer = undefined;
    this.#host.lose(lost);
    const tries = this.#backoff.failed(now());
    if (tries === 1 || written.messages > 0) {
      log.write(
        "error",
        `${path} ends after ${written.messages} messages (${written.bytes} bytes), the next ` +
          `${lost.messages} (${lost.bytes} bytes) are lost, and all until another file takes ` +
          `them: ${reason(error)}`,
        { path, messages: lost.messages, bytes: lost.bytes, kind: "file broken" },
      );
    }
    await this.#host.closed(writer, error);
  }
}

/** Encodings that may not share a file. */
export function encodingOf({ serializer, compression }: RrdHeader): string {
  return `${serializer}, compression ${compression}`;
}
