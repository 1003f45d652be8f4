/**
 * Sorts messages into files: by recording where the pattern asks for it, and by encoding.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { Bridge } from "../../bridge/mod.ts";
import { lengthOf } from "../../encoding/split_encoded.ts";
import { withChunkId } from "../../encoding/protobuf/with_chunk_id.ts";
import { copied, type Entry, entryOf } from "./_entry.ts";
import { fileEncoding } from "./_file_encoding.ts";
import { type Group, Groups } from "./_groups.ts";
import type { SavedFile } from "./saved_files.ts";
import { FilesInMaking, isOfRecording } from "./_files_in_making.ts";
import { FileAccount } from "./_file_account.ts";
import type { IndexRenewal } from "./parts/index_renewal.ts";
import type { FileMark } from "./file_mark.ts";
import type { PartIndex } from "./parts/part_index.ts";
import type { PartOpener } from "./parts/part_opener.ts";
import type { FilePool } from "./writer/file_pool.ts";
import type { RrdWriter } from "./writer/rrd_writer.ts";
import type { WriteBudget } from "./writer/write_budget.ts";
import { SaveWarnings } from "./_save_warnings.ts";
import { Series } from "./_series.ts";
import type { SeriesHost } from "./_series_host.ts";
import { storeKey } from "../../encoding/store_of.ts";
import { type Store, StoreMemory } from "../../stores/store_memory.ts";
import type { Kept } from "../../stores/kept.ts";
import { VersionWarnings } from "./_version_warnings.ts";
import { Blueprints } from "../../stores/blueprints.ts";
import type { RrdHeader } from "../../encoding/rrd_header.ts";
import { isSameEncoding } from "../../encoding/rrd/same_encoding.ts";
import type { Log } from "../../base/log.ts";
import type { MessageSource } from "../../flow/channel/smart_message.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import type { Rotation } from "./rotation.ts";
import { addTo, type Tally } from "../../base/tally.ts";

/**
 * How long a blueprint waits for its client to log a recording, before it goes to recordings of
 * other clients, in milliseconds.
 */
const UNDECIDED_MS = 1000;

/** Options of {@linkcode RrdFiles}. */
export interface RrdFilesOptions {
  readonly name: string;
  readonly opener: PartOpener;
  /** Takes closed files that are to get a list of their chunks; absent if that is not wanted. */
  readonly renewal: Pick<IndexRenewal, "add"> | undefined;
  /** The index of the files; absent if there is only one file. */
  readonly index: PartIndex | undefined;
  /** Gives messages today's form; absent if they are written as they came. */
  readonly bridge: Bridge | undefined;
  readonly log: Log;
  readonly rotation: Rotation;
  readonly pool: FilePool;
  /** Bounds the bytes that wait to be written, for all files together. */
  readonly budget: WriteBudget;
  readonly now: Clock["now"];
  readonly date: Clock["date"];
  /** Told of each file that had to be given up. */
  readonly onError: (error: unknown) => void;
  /** Called when messages are in files that no `add` waited for. */
  readonly onOpened: () => void;
}

/** The files of one sink; the caller must await each promise before the next call. */
export class RrdFiles {
  readonly #options: RrdFilesOptions;
  readonly #host: SeriesHost<Series>;
  readonly #memory = new StoreMemory();
  readonly #blueprints = new Blueprints<object, Store>((store) => this.#memory.dropData(store));
  /** Which recordings share files. */
  readonly groups: Groups;
  readonly #files: FileAccount;
  /** The file that was made at the start, until a message says where it belongs. */
  #first: RrdWriter | undefined;
  #last:
    | { readonly header: RrdHeader; readonly target: Group; readonly into: Series }
    | undefined;
  readonly #making: FilesInMaking;
  readonly #warnings: SaveWarnings;
  readonly #received = { messages: 0, bytes: 0 };

  constructor(options: RrdFilesOptions, first: RrdWriter | undefined) {
    this.#options = options;
    this.#files = new FileAccount(options);
    this.#making = new FilesInMaking(this.#files.series, options.onOpened);
    this.#first = first;
    if (first !== undefined) this.#files.kept.opened(first);
    const { opener, log, rotation, now, date } = options;
    this.#warnings = new SaveWarnings(log, options.name);
    this.#host = {
      files: this.#files,
      blueprints: this.#blueprints,
      ...{ log, rotation, now, date },
      warnings: this.#warnings,
      versions: new VersionWarnings(log),
      memory: this.#memory,
    };
    for (const announced of options.index?.announced ?? []) this.#memory.recall(announced);
    this.groups = new Groups(opener.pattern, first === undefined ? 1 : 2, this.#blueprints);
  }

  /** What no file took. */
  get lost(): Tally {
    return this.#files.lost;
  }

  /** Whether a file had to be given up. */
  get failed(): boolean {
    return this.#files.failed;
  }

  /** The files, open ones last, and what is in them. */
  get saved(): SavedFile[] {
    return this.#files.kept.list;
  }

  /** The files that are being written. */
  get live(): Iterable<RrdWriter> {
    return this.#files.kept.live;
  }

  /** What is in all files. */
  get kept(): Tally {
    return this.#files.kept.total;
  }

  /** Whether the disk has all that the files were given. */
  get isSynced(): boolean {
    return this.#files.isSynced;
  }

  /** Takes files from the list that were removed. */
  removed(names: readonly string[]): void {
    this.#files.removed(names);
  }

  /** Counts a message as lost. */
  refuse({ encoded: { bytes } }: LogMsg): undefined {
    for (const tally of [this.#received, this.#files.lost]) {
      addTo(tally, { messages: 1, bytes: bytes.length });
    }
  }

  /** Puts a message into its files, in today's form if that is asked for. */
  add(received: LogMsg, source: MessageSource): Promise<void> | undefined {
    // What is of recordings alone need not wait for files of others.
    const made = isOfRecording(received) ? undefined : this.#making.made();
    return made?.then(() => this.#give(received, source)) ?? this.#give(received, source);
  }

  #give(received: LogMsg, source: MessageSource): Promise<void> | undefined {
    const { bridge } = this.#options;
    if (bridge === undefined) return this.#add(received, source);
    // The message before is written, or copied to be written: nobody needs its memory any more.
    bridge.release();
    const [msg, start] = bridge.messages(received);
    const added = this.#add(withChunkId(msg!), source);
    if (start === undefined) return added;
    return added?.then(() => this.#add(start, source)) ?? this.#add(start, source);
  }

  /** Resolves when all messages of a batch are in their files; `undefined` if they are. */
  begun(): Promise<void> | undefined {
    return this.#making.awaited();
  }

  /** Forgets a client that left. */
  forget(sourceId: number): Promise<void> | undefined {
    const made = this.#making.made();
    return made?.then(() => this.groups.forget(sourceId)) ?? void this.groups.forget(sourceId);
  }

  #add(given: LogMsg, source: MessageSource): Promise<void> | undefined {
    const { encoded } = given;
    addTo(this.#received, { messages: 1, bytes: lengthOf(encoded) });
    const store = this.#memory.storeOf(given);
    const isBlueprint = store?.id.kind === "Blueprint";
    let [msg, entry] = [given, entryOf(given, encoded, store)];
    const { announces } = entry;
    // An announcement is remembered first: it names the application, which decides the file's blueprints.
    if (announces && !isBlueprint) this.#remember(store, msg, entry);
    const index = announces ? this.#options.index : undefined;
    // Noted while the file is made.
    const noted = index?.announce(storeKey(store!.id), encoded.header.bytes, encoded.bytes);
    const target = isBlueprint ? undefined : this.groups.target(store, msg, source);
    const into = target && this.#seriesOf(target, entry.header);
    const begins = into?.begins(entry) === true;
    const { bridge } = this.#options;
    // Behind an announcement that is bridged comes when the recording began, which would wait for its file.
    const isAlone = !announces || bridge === undefined;
    // Others stay as they are until all of the batch is written.
    const isCopied = announces || bridge !== undefined;
    const copiedBytes = isCopied ? entry.length : 0;
    const isBeside = begins && isAlone && this.#making.allow(into!, copiedBytes);
    if (isBeside && isCopied) [msg, entry] = copied(msg, store);
    const mayAdd = isBeside || (begins ? this.#making.isEmpty : !this.#making.has(into));
    const put = into === undefined
      ? this.#putBlueprint(msg, entry, store!, source)
      : mayAdd
      ? into.add(entry)
      : this.#making.made()!.then(() => into.add(entry));
    const remember = () => {
      if (!isBlueprint && !announces) this.#remember(store, msg, entry);
    };
    if (put === undefined && index === undefined && !this.#options.budget.isFull) {
      remember();
      return undefined;
    }
    const added = (async () => {
      await put;
      remember();
      await noted;
      for (const series of this.groups.takeEvicted()) await this.#files.closeQuietly(series);
      if (!this.#options.budget.isFull) return;
      this.flush();
      await this.#options.budget.waitForRoom();
    })();
    if (!isBeside) return added;
    const made = added.catch((error) => this.#files.notBegun(error, entry.length));
    return void this.#making.add(into!, made, copiedBytes, !announces);
  }

  /** How many files are open. */
  get open(): number {
    return this.#files.series.size;
  }

  /** Begins to write what was gathered, to files that have as much to write; returns how many those are. */
  flush(minBytes?: number): number {
    if (this.#blueprints.isUndecided) this.#blueprints.decide(this.#options.now() - UNDECIDED_MS);
    let count = 0;
    for (const series of this.#files.series) if (series.flush(minBytes)) count++;
    return count;
  }

  /** Gives up what waits to be written. */
  cut(): void {
    for (const series of this.#files.series) series.cut();
  }

  /** Resolves when all that was gathered is written, or lost. */
  async drain(): Promise<void> {
    await this.#making.made();
    this.flush();
    await this.#files.drain();
  }

  /** Writes out all that was added, and gives how far the open files go then. */
  async mark(): Promise<FileMark[]> {
    await this.drain();
    return this.#files.marks;
  }

  /** Resolves when the disk has all that was added, also to files that are being closed. */
  async allSynced(): Promise<void> {
    await this.#files.finished();
    await this.sync();
  }

  /** Closes files that are old enough, side by side. */
  async rotate(): Promise<void> {
    await this.#making.made();
    await Promise.all([...this.#files.series].map((series) => series.rotate()));
  }

  /** Puts what was written on the disk. Never rejects. */
  async sync(): Promise<void> {
    await this.#options.index?.look();
    await this.#files.sync();
  }

  /**
   * Finishes all files.
   *
   * @throws the first error, after all were tried
   */
  async close(): Promise<void> {
    await this.#making.made();
    this.#blueprints.decide(Infinity);
    this.flush();
    const closing = [...this.#files.series].map((series) => series.close());
    const first = this.#first;
    if (first !== undefined) {
      closing.push(first.close().finally(() => this.#files.closed(first)));
      this.#first = undefined;
    }
    const closed = await Promise.allSettled(closing);
    await this.#files.finished();
    // Messages that are neither written nor lost: blueprints for which no recording was open or
    // began.
    const { repeated } = this.#memory;
    const { bridge } = this.#options;
    if (bridge !== undefined) this.#warnings.notBridged(bridge.counts);
    this.#warnings.unplaced(this.#received, [this.kept, this.lost, repeated]);
    for (const result of closed) if (result.status === "rejected") throw result.reason;
  }

  #seriesOf(target: Group, header: RrdHeader): Series {
    const last = this.#last;
    // Saves the look-up for messages of the same kind in a row.
    if (target === last?.target && isSameEncoding(header, last.header)) return last.into;
    const { series } = target;
    const encoding = this.#encodingOf(header);
    let into = series.get(encoding);
    if (into === undefined) {
      into = new Series(this.#host, target, series.size > 0 ? encoding : undefined);
      series.set(encoding, into);
      if (this.#first !== undefined) {
        into.begin(this.#first);
        this.#files.series.use(into);
        this.#first = undefined;
      }
    }
    if (this.#files.series.has(into)) this.#files.series.use(into);
    this.#last = { header, target, into };
    return into;
  }

  /** Puts a blueprint into the open file of its client's recording; no file is made for it. */
  #putBlueprint(
    msg: LogMsg,
    entry: Entry,
    store: Store,
    source: MessageSource,
  ): Promise<void> | undefined {
    const kept = this.#remember(store, msg, entry);
    const target = this.groups.blueprintTarget(store, msg, source, this.#options.now());
    const isOpen = target?.series.get(this.#encodingOf(entry.header))?.writer !== undefined;
    const mayOpen = this.#options.opener.pattern.placeholders.size === 0;
    if (!target || !(isOpen || mayOpen)) return undefined;
    return this.#seriesOf(target, entry.header).add({ ...entry, kept });
  }

  /** Gives a text that is equal for messages that may share a file. */
  #encodingOf(header: RrdHeader): string {
    return fileEncoding(header, this.#options.opener.writer.compressor !== undefined);
  }

  #remember(store: Store | undefined, msg: LogMsg, entry: Entry): Kept | undefined {
    if (store === undefined) return undefined;
    const kept = this.#memory.remember(store, msg, entry);
    if (this.#memory.forgotten > 0) this.#warnings.forgotten();
    return kept;
  }
}
