/**
 * Makes the next file of a recording: under a name that nothing has, inside the pattern's folder.
 *
 * @module
 */
import type { FileAdapter } from "../../../adapters/files/types.ts";
import type { ProcessAdapter } from "../../../adapters/process/types.ts";
import { FileExists } from "../../../base/errors.ts";
import type { Log } from "../../../base/log.ts";
import { Device } from "./_device.ts";
import { type RecoveredPart, recoverParts } from "./_recover.ts";
import { PART_SUFFIX, RrdWriter, type RrdWriterOptions } from "../writer/rrd_writer.ts";
import { othersFiles } from "./save_lock.ts";
import { isNameOf, numberOf, renderName, type SavePattern } from "../save_pattern.ts";

/** Names that are tried before giving up, besides those known to be taken. */
const MAX_TRIES = 1000;

/** What names are made of, and the number of the next. */
export interface Numbered {
  readonly applicationId: string;
  readonly recordingId: string;
  next: number;
  /** Counts for it alone, where the time is in the name and no number is. */
  base?: string;
}

/** See the module. */
export class PartOpener {
  /** Names that are there since before this run. */
  readonly #before: Set<string>;
  readonly #recovered: Set<string>;
  /** The highest number of each recording's parts. */
  readonly #highest = new Map<string, number>();
  #device: Device | undefined;

  private constructor(
    readonly pattern: SavePattern,
    readonly adapter: FileAdapter,
    readonly writer: RrdWriterOptions,
    names: readonly string[],
    readonly recovered: readonly RecoveredPart[],
  ) {
    const finished = recovered.map(({ name }) => name);
    this.#before = new Set([...names.filter((name) => isNameOf(pattern, name)), ...finished]);
    this.#recovered = new Set(finished);
    for (const name of this.#before) {
      const number = numberOf(pattern, name);
      if (number === undefined) continue;
      const highest = this.#highest.get(number.recording) ?? 0;
      this.#highest.set(number.recording, Math.max(highest, number.part));
    }
  }

  /**
   * Looks into the pattern's folder and finishes what an earlier run left there.
   *
   * @throws whatever the runtime says if the folder can't be read
   */
  static async start(
    pattern: SavePattern,
    writer: RrdWriterOptions,
    log: Log,
    processes?: ProcessAdapter,
  ): Promise<PartOpener> {
    const { adapter } = writer;
    const names = await adapter.list(pattern.folder);
    const isFree = (name: string) => !names.includes(name);
    const isOthers = processes && await othersFiles(pattern, names, adapter, processes);
    const left = names.filter((name) => isOthers?.(name, PART_SUFFIX) !== true);
    const recovered = await recoverParts(left, { pattern, adapter, log, isFree });
    return new PartOpener(pattern, adapter, writer, names, recovered);
  }

  /**
   * Opens the pattern's path itself, if it is a device or a pipe.
   *
   * @throws whatever the runtime says
   */
  async openDevice(path: string): Promise<RrdWriter | undefined> {
    const { adapter, writer } = this;
    if (!writer.replace || await adapter.kind(path) !== "other") return undefined;
    this.#device = new Device(path, adapter);
    return new RrdWriter({ path, written: path, file: await this.#device.open() }, writer);
  }

  /** Lets go of what was opened and is not needed. */
  async close(): Promise<void> {
    await this.#device?.close();
  }

  /**
   * Makes a file.
   *
   * @param numbered its number is counted up
   * @param date milliseconds since the Unix epoch
   * @param isSibling whether it is for another encoding than the first
   * @throws whatever the runtime says
   */
  async open(numbered: Numbered, date: number, isSibling = false): Promise<RrdWriter> {
    const { pattern: { folder }, adapter, writer } = this;
    if (this.#device !== undefined) {
      const { path } = this.#device;
      if (isSibling) throw new Error(`${path} takes one encoding only`);
      return new RrdWriter({ path, written: path, file: this.#device.reopen() }, writer);
    }
    this.#begin(numbered, new Date(date));
    for (let tries = 0;;) {
      const part = numbered.next++;
      const name = renderName(this.pattern, { ...numbered, date: new Date(date), part });
      if (this.#before.has(name) && !(writer.replace && !this.#recovered.has(name))) continue;
      const path = folder + name;
      try {
        if (!writer.replace && await adapter.kind(path) !== undefined) throw new FileExists(path);
        const written = path + PART_SUFFIX;
        return new RrdWriter({ path, written, file: await adapter.create(written, "new") }, writer);
      } catch (error) {
        if (!(error instanceof FileExists)) {
          numbered.next = part;
          throw error;
        }
        if (++tries === MAX_TRIES) throw error;
      }
    }
  }

  /** Numbers go on where earlier runs ended; with the time in the name they begin with each. */
  #begin(numbered: Numbered, date: Date): void {
    const base = renderName(this.pattern, { ...numbered, date, part: 1 });
    const { placeholders } = this.pattern;
    const isDated = placeholders.has("date") || placeholders.has("time");
    if (isDated && !placeholders.has("part") && numbered.base !== base) numbered.next = 1;
    numbered.base = base;
    if (numbered.next > 1) return;
    const recording = numberOf(this.pattern, base)?.recording ?? "";
    numbered.next = (this.#highest.get(recording) ?? 0) + 1;
  }
}
