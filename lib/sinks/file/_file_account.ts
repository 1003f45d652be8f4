/**
 * Counts what is in the files of a sink, open or closed, and what no file took.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import { reason } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import { addTo, type Tally } from "../../base/tally.ts";
import { OpenSeries } from "./_open_series.ts";
import type { Series } from "./_series.ts";
import type { SeriesObserver } from "./_series_host.ts";
import type { FileMark } from "./file_mark.ts";
import type { IndexRenewal } from "./parts/index_renewal.ts";
import type { PartOpener } from "./parts/part_opener.ts";
import { tellNoIndex } from "./parts/no_index.ts";
import { KeptFiles } from "./saved_files.ts";
import type { FilePool } from "./writer/file_pool.ts";
import type { RrdWriter } from "./writer/rrd_writer.ts";
import type { SyncedFiles } from "./writer/syncer.ts";

/** Options of {@linkcode FileAccount}. */
export interface FileAccountOptions {
  readonly opener: PartOpener;
  /** Takes closed files that are to get a list of their chunks; absent if that is not wanted. */
  readonly renewal: Pick<IndexRenewal, "add"> | undefined;
  readonly log: Log;
  /** Has the files open that are being written to. */
  readonly pool: FilePool;
  /** Monotonic milliseconds. */
  readonly now: Clock["now"];
  /** Milliseconds since the Unix epoch. */
  readonly date: Clock["date"];
  /** Told of each file that had to be given up. */
  readonly onError: (error: unknown) => void;
}

/** Opens files for series, and counts what is in them, closed or not, and what no file took. */
export class FileAccount implements SeriesObserver<Series>, SyncedFiles {
  /** The series that are being written. */
  readonly series: OpenSeries;
  /** What is in the files. */
  readonly kept = new KeptFiles();
  /** What no file took. */
  readonly lost = { messages: 0, bytes: 0 };
  /** Whether a file had to be given up. */
  failed = false;

  readonly #options: FileAccountOptions;
  readonly #pending = new Set<Promise<void>>();

  /** @param options what it works with */
  constructor(options: FileAccountOptions) {
    this.#options = options;
    this.series = new OpenSeries({ most: () => options.pool.mostWritten, now: options.now });
  }

  async open(series: Series): Promise<RrdWriter> {
    const { opener, date, log } = this.#options;
    await this.series.waitForRoom();
    try {
      const writer = await opener.open(series.names, date(), series.sibling !== undefined);
      // Before anything is awaited: `closed` drops open series that have no writer.
      series.begin(writer);
      this.series.use(series);
      this.kept.opened(writer);
      if (series.sibling !== undefined) {
        const what = `Messages encoded as ${series.sibling} go to ${writer.path}`;
        log.write("info", `${what}: a file holds one encoding`, { kind: "another encoding" });
      }
      return writer;
    } catch (error) {
      this.#failedWith(error);
      throw error;
    }
  }

  async closed(writer: RrdWriter, error?: unknown): Promise<void> {
    for (const series of this.series) if (!series.isOpen) this.series.delete(series);
    this.kept.closed(writer, error !== undefined);
    if (error !== undefined) this.#failedWith(error);
    if (!writer.renamed) return;
    const { path, end: { why, about }, target: { note } } = writer;
    if (why !== undefined) tellNoIndex(this.#options.log, path, { why, about });
    if (note === undefined) return;
    this.removed(await note.closed());
    if (note.line.footer === "pending") this.#options.renewal?.add(note.line);
  }

  /** How far the open files go. */
  get marks(): FileMark[] {
    return [...this.series].flatMap(({ writer }) => {
      const id = writer?.target.note?.line.id;
      return id === undefined
        ? []
        : [{ id, offset: writer!.whole.size, before: writer!.whole.total }];
    });
  }

  /** Finishes a series that gets no messages any more; an error is only logged. */
  async closeQuietly(series: Series): Promise<void> {
    this.series.delete(series);
    try {
      await series.close();
    } catch (error) {
      const text = `A file was not closed cleanly: ${reason(error)}`;
      this.#options.log.write("error", text, { kind: "file not closed" });
    }
  }

  /** Counts a message as lost whose file could not be begun for a reason that nobody foresaw. */
  notBegun(error: unknown, bytes: number): void {
    this.lose({ messages: 1, bytes });
    const text = `A file could not be begun: ${reason(error)}`;
    this.#options.log.write("error", text, { kind: "file not begun" });
    this.#failedWith(error);
  }

  lose(lost: Tally): void {
    addTo(this.lost, lost);
  }

  track(work: Promise<void>): void {
    this.#pending.add(work);
    void work.then(() => this.#pending.delete(work));
  }

  /** Takes files from the list that were removed. */
  removed(names: readonly string[]): void {
    const { folder } = this.#options.opener.pattern;
    for (const name of names) this.kept.removed(folder + name);
  }

  get isSynced(): boolean {
    for (const writer of this.kept.live) if (!writer.isSynced) return false;
    return true;
  }

  /** Resolves when all that was gathered is written, or lost, also to files that are being closed. */
  async drain(): Promise<void> {
    await Promise.all([...this.series].map((series) => series.drain()));
    await Promise.all([...this.kept.live].map((writer) => writer.drain()));
  }

  async sync(): Promise<void> {
    await Promise.all([...this.kept.live].map((writer) => writer.sync()));
  }

  /** Resolves when all work in the background is over. */
  async finished(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  #failedWith(error: unknown): void {
    this.failed = true;
    this.#options.onError(error);
  }
}
