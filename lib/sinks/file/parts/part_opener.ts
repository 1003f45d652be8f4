/**
 * Makes the next file of a recording, under a free name in the pattern's folder.
 *
 * @module
 */
import { xxh32 } from "../../../encoding/rrd/xxh32.ts";
import { forgetOldest } from "../../../base/forget_oldest.ts";
import { FileExists } from "../../../base/errors.ts";
import { Device } from "./_device.ts";
import { NotedPart } from "./noted_part.ts";
import type { PartIndex } from "./part_index.ts";
import { RrdWriter } from "../writer/rrd_writer.ts";
import { PART_SUFFIX } from "../writer/writer_options.ts";
import type { RrdWriterOptions } from "../writer/writer_options.ts";
import { isNameOf, numberOf, renderName, type SavePattern } from "../save_pattern.ts";

/**
 * How many recordings have their highest number remembered: of others, names are tried from the first one
 * on, beside those that were in the folder before.
 */
const MAX_HIGHEST = 10_000;

/** How many names are tried before giving up, besides those known to be taken. */
const MAX_TRIES = 1000;

/** What the names of a series are made of, and the number of the next file. */
export interface Numbered {
  readonly applicationId: string;
  readonly recordingId: string;
  readonly box?: string;
  next: number;
  /**
   * The name before its number, if the pattern has the time and no number: numbers then count for
   * this name alone.
   */
  base?: string;
}

/** Options of {@linkcode PartOpener}. */
export interface PartOpenerOptions {
  readonly pattern: SavePattern;
  readonly writer: RrdWriterOptions;
  /** The index, which notes files before they are made; a device has none. */
  readonly index: PartIndex | undefined;
  /** Makes an id that no other file ever has. */
  readonly newId: () => string;
  /** Names of all that is in the pattern's folder. */
  readonly names: readonly string[];
  /** Names that leftovers of earlier runs get. */
  readonly reserved: readonly string[];
}

/** Makes the files of one sink. */
export class PartOpener {
  readonly pattern: SavePattern;
  readonly writer: RrdWriterOptions;
  readonly #index: PartIndex | undefined;
  readonly #newId: () => string;
  /** Names that were in the folder before this run. */
  readonly #before: Set<string>;
  readonly #reserved: Set<string>;
  /**
   * The highest number among the parts of each recording, or of all recordings whose files would have
   * equal names; the one used last stands at the end.
   */
  readonly #highest = new Map<string, number>();
  /** Names of files that are being made. */
  readonly #making = new Set<string>();
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

  /** Closes what was opened and is not needed. */
  async close(): Promise<void> {
    await this.#device?.close();
  }

  /**
   * Makes a file.
   *
   * @param numbered what the name is made of; its number is counted up
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
    const key = this.#begin(numbered, new Date(date));
    for (let tries = 0;;) {
      const part = numbered.next++;
      const name = renderName(this.pattern, { ...numbered, date: new Date(date), part });
      if (this.#before.has(name) && !(writer.replace && !this.#reserved.has(name))) continue;
      if (this.#making.has(name)) continue;
      this.#making.add(name);
      try {
        const made = await this.#make(name, groupOf(numbered));
        this.#taken(key, part);
        return made;
      } catch (error) {
        if (!(error instanceof FileExists)) {
          numbered.next = part;
          throw error;
        }
        if (++tries === MAX_TRIES) throw error;
      } finally {
        this.#making.delete(name);
      }
    }
  }

  /**
   * Makes a file, after its name was noted in the index: a later run touches no file that is not in
   * it.
   */
  async #make(name: string, group: string): Promise<RrdWriter> {
    const { writer, writer: { adapter } } = this;
    const path = this.pattern.folder + name;
    const written = path + PART_SUFFIX;
    // Looked at in this order, and once more below: another program may be closing a file, which
    // then gets its final name.
    for (const taken of writer.replace ? [written] : [written, path]) {
      if (await adapter.kind(taken) !== undefined) throw new FileExists(taken);
    }
    const note = this.#index &&
      await NotedPart.begin(this.#index, this.#newId(), name, group);
    try {
      const file = await writer.pool.open(() => adapter.create(written, "new"));
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

  /**
   * Sets the number of the next file: it goes on where earlier runs and other recordings with such names
   * ended, or begins anew if the name has the time. Returns for which names that number counts.
   */
  #begin(numbered: Numbered, date: Date): string {
    const base = renderName(this.pattern, { ...numbered, date, part: 1 });
    const { placeholders } = this.pattern;
    const isDated = placeholders.has("date") || placeholders.has("time");
    if (isDated && !placeholders.has("part") && numbered.base !== base) numbered.next = 1;
    numbered.base = base;
    const key = numberOf(this.pattern, base)?.recording ?? base;
    numbered.next = Math.max(numbered.next, (this.#highest.get(key) ?? 0) + 1);
    return key;
  }

  #taken(key: string, part: number): void {
    const highest = Math.max(part, this.#highest.get(key) ?? 0);
    this.#highest.delete(key);
    this.#highest.set(key, highest);
    forgetOldest(this.#highest, MAX_HIGHEST);
  }
}

/** Names the series that files belong to, the same in later runs. */
function groupOf({ applicationId, recordingId }: Numbered): string {
  const key = new TextEncoder().encode(JSON.stringify([applicationId, recordingId]));
  return xxh32(key, 0).toString(16).padStart(8, "0");
}
