/**
 * The index of a pattern's files, kept beside them, with how their recordings were announced. By it
 * a later run knows which files are ours, what has to be done with them, and which application a
 * recording belongs to that is not announced again.
 *
 * @module
 */
import { forgetOldest } from "../../../base/forget_oldest.ts";
import { reason } from "../../../base/errors.ts";
import { type FileLine, type IndexLine, isOf } from "./_index_line.ts";
import { HomeFolder } from "./home_folder.ts";
import { IndexFile } from "./_index_file.ts";
import type { PartJournal } from "./part_journal.ts";
import { addRunning } from "./running_writers.ts";
import { KnownRepeats } from "./_known_repeats.ts";
import { isNameOf } from "../save_pattern.ts";
import { listed, PartList } from "./part_list.ts";
import type { PartIndexOptions } from "./_part_index_options.ts";
import { COPY_SUFFIX, DAMAGED_SUFFIX, INDEX_SUFFIX } from "./_suffixes.ts";
import { Surplus } from "./_surplus.ts";

export { COPY_SUFFIX, DAMAGED_SUFFIX, INDEX_SUFFIX };

/** How many announcements are kept, and how long one may be, in bytes. */
const MAX_ANNOUNCED = 10_000;
const MAX_ANNOUNCEMENT_BYTES = 4096;
/** How many files of the index are read; older ones are not removed any more. */
const MAX_READ = 200_000;
/** With so many outdated lines an index is worth writing anew. */
const MANY_LINES = 1000;

/** An announcement: the stream's header and the message. */
export type Announced = Extract<IndexLine, { kind: "store" }>;

/** The index of one pattern. Failures are logged, and cost no message. */
export class PartIndex {
  readonly #options: PartIndexOptions;
  readonly #file: IndexFile;
  readonly #home: HomeFolder;
  /** The files by age; not kept if nothing is ever removed, since files may be made without end. */
  #list: PartList | undefined;
  /** Files that were read, by id, and their ids by name, until they are sorted. */
  #read = new Map<string, FileLine>();
  #ids = new Map<string, string>();
  readonly #announced = new Map<string, Announced>();
  readonly #surplus: Surplus;
  /** Repeated messages of files of earlier runs, by id; forgotten together with `#read`. */
  #repeats = new KnownRepeats();
  /** What failed and was told. */
  readonly #told = new Set<string>();
  #isHandedOver = false;
  /** Whether the index names all files of earlier runs, as far as it was read. */
  #isAllRead = false;
  /** Closed files without a list of their chunks, until they are taken. */
  #unindexed: FileLine[] | undefined = [];

  private constructor(options: PartIndexOptions, home: HomeFolder) {
    this.#options = options;
    this.#home = home;
    if (this.journal) {
      this.journal.announcementOf = (store) => this.#announced.get(store);
      this.journal.isAway = () => this.isAway();
    }
    const { pattern, adapter, keep, log } = options;
    this.#file = new IndexFile(pattern.folder + pattern.name + INDEX_SUFFIX, adapter, adapter);
    this.#file.onRemoved = () => home.renew().then(() => this.journal?.restored());
    this.#file.onRestored = () => {
      const text = `Somebody removed ${this.path}, and it was written again: it tells a later ` +
        "start which files to recover, to remove and to forward";
      log.write("warn", text, { path: this.path, kind: "index restored" });
      this.journal?.restored();
    };
    this.#list = new PartList(keep);
    const attempt = (what: string, action: () => Promise<void>) => this.#try(what, action);
    this.#surplus = new Surplus(options, attempt, () => home.isElsewhere(this.#file));
  }

  /** Whether another program makes files of the pattern as well. */
  get isShared(): boolean {
    return this.#isHandedOver || (this.#options.draining?.size ?? 0) > 0;
  }

  /** Reads the index of earlier runs, if there is one, and goes on with it. */
  static async open(options: PartIndexOptions): Promise<PartIndex> {
    const index = new PartIndex(
      options,
      await HomeFolder.of(options.pattern.folder, options.adapter),
    );
    let lines = 0;
    let isAll = await index.#try("read", async () => {
      for await (const line of index.#file.lines()) {
        lines++;
        index.#take(line);
      }
    });
    const isClosed = ({ state }: FileLine) => state === "closed";
    if (forgetOldest(index.#read, MAX_READ, isClosed).length > 0) isAll = false;
    forgetOldest(index.#announced, MAX_ANNOUNCED / 2);
    index.#isAllRead = isAll;
    await addRunning(index.#read.values(), options);
    if (index.isShared) index.#file.share();
    await index.#try("written", async () => {
      const files = [...index.#read.values()];
      const live = index.#announced.size + files.length;
      // Not rewritten if not all of it was read or kept in memory, or if another program still
      // writes to it.
      if (isAll && !index.isShared && lines - live > MANY_LINES) {
        const lines = [...index.#announced.values(), ...files, ...index.#repeats.lines];
        await index.#file.replace(lines);
      }
    });
    for (const file of index.#read.values()) options.catalog?.set(file);
    return index;
  }

  /** Where it is. */
  get path(): string {
    return this.#file.path;
  }

  /** Whether files that are missing now may come back, as where a drive was taken out. */
  isAway(): Promise<boolean> {
    return this.#home.isAway(this.#file);
  }

  /** Puts the index back if somebody removed it. */
  look(): Promise<unknown> {
    return this.#try("written again", () => this.#file.look());
  }

  /** Told of every file, if followers read behind the writer. */
  get journal(): PartJournal | undefined {
    return this.#options.journal;
  }

  /** Announcements of earlier runs. */
  get announced(): Iterable<Announced> {
    return this.#announced.values();
  }

  /** The process that writes files, for lines of the index. */
  get owner(): Pick<FileLine, "by"> {
    const { writer } = this.#options;
    return writer === undefined ? {} : { by: writer };
  }

  /**
   * Lets another program take over the pattern, which then removes surplus files; this one only
   * adds lines about its own files.
   */
  handOver(): void {
    this.#isHandedOver = true;
    this.#file.share();
    this.#list = undefined;
    this.#surplus.forgetAll();
  }

  /** Names of files that another program is writing; must be asked for before `takeUnfinished`. */
  get others(): string[] {
    const { draining } = this.#options;
    return [...this.#read.values()].filter((file) => isOf(file, draining)).map(({ name }) => name);
  }

  /**
   * Files of earlier runs that are not closed, in the order in which they were begun; to be called
   * once. All other files are listed as closed.
   */
  takeUnfinished(): FileLine[] {
    const files = [...this.#read.values()];
    const { journal } = this;
    for (const file of files) journal?.known(file, this.#repeats.of(file.id));
    // One that is lost names nothing, though files may be there.
    if (this.#isAllRead && files.length > 0) journal?.knowsAll(new Set(files.map(({ id }) => id)));
    this.#read = new Map();
    this.#ids = new Map();
    this.#repeats = new KnownRepeats();
    this.#unindexed = files.filter(({ state, footer }) =>
      state === "closed" && footer === "pending"
    );
    const { keep, names } = this.#options;
    for (const file of files) {
      if (file.state !== "closed") this.#list?.begin(file.name);
      // What somebody removed takes no room.
      else if (names?.has(file.name) !== false) this.#list?.add(file.name, listed(file));
      if (file.damaged !== undefined) this.#surplus.damaged.add(file.name);
    }
    if (keep.files === undefined && keep.bytes === undefined) this.#list = undefined;
    return files.filter((file) => file.state !== "closed" && !isOf(file, this.#options.draining));
  }

  /** Closed files of earlier runs that are to get a list of their chunks; to be called once. */
  takeUnindexed(): FileLine[] {
    const unindexed = this.#unindexed ?? [];
    this.#unindexed = undefined;
    return unindexed;
  }

  /** Notes a file that is about to be made; `keep` removes files in this order. */
  async begin(file: FileLine): Promise<void> {
    this.#list?.begin(file.name);
    // Somebody removed the one that had this name.
    this.#surplus.forget(file.name);
    this.journal?.begun(file);
    await this.note(file);
  }

  /** Notes which messages of a file are repeated from earlier files, before they are written. */
  async repeats(id: string, ranges: readonly (readonly [number, number])[]): Promise<void> {
    for (const [at, count] of ranges) this.journal?.repeats(id, at, count);
    for (const [at, count] of ranges) await this.#write({ kind: "repeats", id, at, count });
    if (this.#options.sync && this.journal) await this.#try("synced", () => this.#file.sync());
  }

  /** Notes that all followers have a file; removes files that need not wait for them any more. */
  async forwarded(file: FileLine): Promise<readonly string[]> {
    await this.#write({ ...file, forwarded: file.messages ?? 0 });
    return await this.#removeOldest();
  }

  /** Notes what is known of a file, and what is about to be done with it. */
  async note(file: Exclude<IndexLine, Announced>): Promise<void> {
    if (file.kind === "file") this.journal?.noted(file);
    await this.#write(file);
    if (this.#options.sync) await this.#try("synced", () => this.#file.sync());
  }

  /** Notes that there is no such file. */
  async drop({ id, name }: FileLine): Promise<void> {
    this.#list?.remove(name);
    this.journal?.gone(id, name);
    await this.#write({ kind: "removed", name, id });
  }

  /** Lists a file that is being recovered among the closed ones. */
  hold(file: FileLine): void {
    this.#options.catalog?.hold(file.name);
    this.#list?.update(file.name, { ...listed(file), isBusy: true });
  }

  /** Says that a file is not being recovered any more, and is as it was. */
  release(file: FileLine): void {
    this.#options.catalog?.release(file.name);
    this.#list?.update(file.name, listed(file));
    this.journal?.ready(file.id);
  }

  /** Notes that a file was recovered; removes surplus files, and gives their names. */
  async recovered(file: FileLine): Promise<readonly string[]> {
    if (file.damaged !== undefined) this.#surplus.damaged.add(file.name);
    if (file.footer === "pending") this.#unindexed?.push(file);
    this.#list?.update(file.name, listed(file));
    await this.note(file);
    return await this.#removeOldest();
  }

  /** Notes that a file was closed; removes surplus files, and gives their names. */
  async closed(file: FileLine): Promise<readonly string[]> {
    await this.#write(file);
    this.#list?.update(file.name, listed(file));
    this.journal?.noted(file);
    return await this.#removeOldest();
  }

  /**
   * Tells those who list files what is known of one now; the index gets it when the file is closed.
   */
  show(file: FileLine): void {
    this.#options.catalog?.set(file);
  }

  /**
   * Removes a closed file on request, with its original if it was recovered.
   *
   * @throws whatever the runtime says; the file is still listed then
   */
  async remove(name: string): Promise<void> {
    const { pattern: { folder }, adapter, log } = this.#options;
    // The original first: without the file nothing would tell what it belongs to.
    for (const gone of this.#surplus.damaged.has(name) ? [name + DAMAGED_SUFFIX, name] : [name]) {
      if (await adapter.kind(folder + gone) === "file") await adapter.remove(folder + gone);
    }
    this.#surplus.damaged.delete(name);
    this.#surplus.forget(name);
    this.#list?.remove(name);
    await this.note({ kind: "removed", name });
    this.journal?.gone(undefined, name);
    log.write("info", `Removed ${folder + name}, as a viewer asked for`, { path: folder + name });
  }

  /** Notes how a store was announced, once. */
  async announce(store: string, header: Uint8Array, message: Uint8Array): Promise<void> {
    if (this.#announced.has(store) || this.#announced.size >= MAX_ANNOUNCED) return;
    if (message.length > MAX_ANNOUNCEMENT_BYTES) return;
    const line = { kind: "store", store, header, message: message.slice() } as const;
    this.#announced.set(store, line);
    await this.#write(line);
  }

  /** Closes the index. */
  async close(): Promise<void> {
    await this.#try("closed", () => this.#file.close());
  }

  #take(line: IndexLine): void {
    if (line.kind === "store") return void this.#announced.set(line.store, line);
    if (line.kind === "repeats") return this.#repeats.take(line);
    // Only files that this pattern can make are ever touched, whatever the index says.
    if (!isNameOf(this.#options.pattern, line.name)) return;
    if (line.kind === "removed") {
      const id = line.id ?? this.#ids.get(line.name) ?? "";
      this.#read.delete(id);
      this.#repeats.delete(id);
      return;
    }
    // Kept in the order in which they were begun.
    this.#read.set(line.id, line);
    this.#ids.set(line.name, line.id);
  }

  async #removeOldest(): Promise<readonly string[]> {
    const isHeld = (name: string) => this.journal?.isHeld(name) ?? false;
    const removed = await this.#surplus.remove(this.#list, isHeld);
    for (const name of removed) {
      await this.#write({ kind: "removed", name });
      this.journal?.gone(undefined, name);
    }
    return removed;
  }

  async #write(line: IndexLine): Promise<void> {
    const { catalog } = this.#options;
    if (line.kind === "file") catalog?.set(line);
    if (line.kind === "removed") catalog?.remove(line.name);
    await this.#try("written", () => this.#file.write(line));
  }

  async #try(what: string, action: () => Promise<void>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (error) {
      const [kind = ""] = what.split(":");
      if (this.#told.has(kind)) return false;
      this.#told.add(kind);
      const text = `The index ${this.path} could not be ${what}: ${reason(error)}`;
      this.#options.log.write("warn", text, { path: this.path });
      return false;
    }
  }
}
