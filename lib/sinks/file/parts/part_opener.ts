/**
 * Makes the next file of a recording: under a name that nothing has, inside the pattern's folder.
 *
 * @module
 */
import { xxh32 } from "../../../encoding/rrd/xxh32.ts";
import { FileExists } from "../../../base/errors.ts";
import { Device } from "./_device.ts";
import { NotedPart } from "./noted_part.ts";
import type { PartIndex } from "./part_index.ts";
import { RrdWriter } from "../writer/rrd_writer.ts";
import { PART_SUFFIX } from "../writer/writer_options.ts";
import type { RrdWriterOptions } from "../writer/writer_options.ts";
import { isNameOf, numberOf, renderName, type SavePattern } from "../save_pattern.ts";

/** Names that are tried before giving up, besides those known to be taken. */
const MAX_TRIES = 1000;

/** What names are made of, and the number of the next. */
export interface Numbered {
  readonly applicationId: string;
  readonly recordingId: string;
  readonly box?: string;
  next: number;
  /** Counts for it alone, where the time is in the name and no number is. */
  base?: string;
}

/** What {@linkcode PartOpener} needs. */
export interface PartOpenerOptions {
  readonly pattern: SavePattern;
  readonly writer: RrdWriterOptions;
  /** Takes the names of files before they are made; a device has none. */
  readonly index: PartIndex | undefined;
  /** Gives a name that no other file ever has. */
  readonly newId: () => string;
  /** What is in the pattern's folder. */
  readonly names: readonly string[];
  /** Names that files of earlier runs are given. */
  readonly reserved: readonly string[];
}

/** Makes the files of one sink. */
export class PartOpener {
  readonly pattern: SavePattern;
  readonly writer: RrdWriterOptions;
  readonly #index: PartIndex | undefined;
  readonly #newId: () => string;
  /** Names that are there since before this run. */
  readonly #before: Set<string>;
  readonly #reserved: Set<string>;
  /** The highest number of each recording's parts. */
  readonly #highest = new Map<string, number>();
  #device: Device | undefined;

  constructor({ pattern, writer, index, newId, names, reserved }: PartOpenerOptions) {
    this.pattern = pattern;
    this.writer = writer;
    this.#index = index;
    this.#newId = newId;
    this.#before = new Set([...names.filter((name) => isNameOf(pattern, name)), ...reserved]);
    this.#reserved = new Set(reserved);
    for (const name of this.#before) {
      const number = numberOf(pattern, name);
      if (number === undefined) continue;
      const highest = this.#highest.get(number.recording) ?? 0;
      this.#highest.set(number.recording, Math.max(highest, number.part));
    }
  }

  /**
   * Opens a device or a pipe.
   *
   * @throws whatever the runtime says
   */
  async openDevice(path: string): Promise<RrdWriter> {
    const { writer } = this;
    this.#device = new Device(path, writer.adapter);
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
    const { writer } = this;
    if (this.#device !== undefined) {
      const { path } = this.#device;
      if (isSibling) throw new Error(`${path} takes one encoding only`);
      return new RrdWriter({ path, written: path, file: this.#device.reopen() }, writer);
    }
    this.#begin(numbered, new Date(date));
    for (let tries = 0;;) {
      const part = numbered.next++;
      const name = renderName(this.pattern, { ...numbered, date: new Date(date), part });
      if (this.#before.has(name) && !(writer.replace && !this.#reserved.has(name))) continue;
      try {
        return await this.#make(name, groupOf(numbered));
      } catch (error) {
        if (!(error instanceof FileExists)) {
          numbered.next = part;
          throw error;
        }
        if (++tries === MAX_TRIES) throw error;
      }
    }
  }

  /** Its name is in the index before anything has it: a later run touches nothing that is not there. */
  async #make(name: string, group: string): Promise<RrdWriter> {
    const { writer, writer: { adapter } } = this;
    const path = this.pattern.folder + name;
    const written = path + PART_SUFFIX;
    // In this order, and once more below: another program may close one, which then has its name.
    for (const taken of writer.replace ? [written] : [written, path]) {
      if (await adapter.kind(taken) !== undefined) throw new FileExists(taken);
    }
    const note = this.#index &&
      await NotedPart.begin(this.#index, this.#newId(), name, group);
    try {
      const file = await adapter.create(written, "new");
      if (this.#index?.isShared && await adapter.kind(path) !== undefined) {
        await file.close();
        await adapter.remove(written);
        throw new FileExists(path);
      }
      return new RrdWriter({ path, written, file, ...(note && { note }) }, writer);
    } catch (error) {
      await note?.dropped();
      throw error;
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

/** Stands for whose files these are, in runs to come as well. */
function groupOf({ applicationId, recordingId }: Numbered): string {
  const key = new TextEncoder().encode(JSON.stringify([applicationId, recordingId]));
  return xxh32(key, 0).toString(16).padStart(8, "0");
}
