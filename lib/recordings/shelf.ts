/**
 * Recordings that stand on a disk, as viewers ask for them: listed, read and removed by name alone.
 *
 * @module
 */
import type { ReadableFile } from "../adapters/files/types.ts";

/** One file, as far as that is known without reading it. */
export interface ShelvedFile {
  /** By which it is asked for: one of this list, and never a path that leads anywhere. */
  readonly name: string;
  /** Where it is, links followed: by this, two shelves show one file once. Viewers are not told. */
  readonly path: string;
  /** Of its first recording, where that is known. */
  readonly application?: string | undefined;
  /** The id of its first recording, where that is known. */
  readonly recording?: string | undefined;
  /** How many recordings it holds. */
  readonly recordings?: number | undefined;
  /** Version of the SDK that logged first, such as `0.22.1`. */
  readonly sdk?: string | undefined;
  /** When its first message came, in milliseconds since the Unix epoch. */
  readonly firstMs?: number | undefined;
  /** When its last message came, in milliseconds since the Unix epoch. */
  readonly lastMs?: number | undefined;
  /** Logged messages in it. */
  readonly messages?: number | undefined;
  /** Its length; of one that is being written, what is whole so far. */
  readonly bytes: number;
  /** `left`: by an earlier run, which ended before it was closed; it is to be recovered first. */
  readonly state: "writing" | "left" | "closed";
  /** Whether it was damaged, and holds what could still be read; `undefined`: nobody looked. */
  readonly damaged?: boolean | undefined;
  /** Whether it may be removed by who asks for that. */
  readonly isOurs: boolean;
}

/** A file that was opened: whatever happens to its name, this is what is read. */
export interface OpenedFile {
  /** To be closed by who reads it. */
  readonly file: ReadableFile;
  /** So much of it is whole, in bytes: all of it, or what was written so far. */
  readonly bytes: number;
  /** Changes with what is in it. */
  readonly version: string;
}

/** Why a file is not opened: there is none of that name, or it is to be recovered first. */
export type NotOpened = "missing" | "left";

/** What came of the wish to remove a file. */
export type Removal = "removed" | "missing" | "writing" | "busy" | "foreign";

/** Where recordings stand. */
export interface Shelf {
  /** All that are there, in no order. */
  list(): Promise<readonly ShelvedFile[]>;
  /**
   * Opens one to read it.
   *
   * @param name as it is listed
   * @throws whatever the runtime says of a file that can't be read
   */
  open(name: string): Promise<OpenedFile | NotOpened>;
  /**
   * Removes one that is closed, and what belongs to it.
   *
   * @param name as it is listed
   * @throws whatever the runtime says of a file that can't be removed
   */
  remove(name: string): Promise<Removal>;
}

/** Before the name of a file whose own another shelf has. */
const SECOND = "(2) ";

/**
 * Several shelves as one: a file that stands on two of them is shown once, as the first has it.
 *
 * @example
 * ```ts
 * import { memoryFiles, rrdFileSink, Shelves } from "@rerelay/server/sinks";
 * import { assertEquals } from "@std/assert";
 *
 * const files = memoryFiles(); // left out: the disk, by the runtime it runs on
 * const sink = await rrdFileSink({ path: "run.rrd", files, shelved: true });
 * const shelves = new Shelves(); // for the option `files` of httpApp
 * shelves.add(sink.shelf!);
 * await sink.close();
 * assertEquals((await shelves.list()).map(({ name, state }) => [name, state]), [["run.rrd", "closed"]]);
 * ```
 */
export class Shelves implements Shelf {
  readonly #shelves: Shelf[] = [];

  /** Adds what stands on another one, behind the others. */
  add(shelf: Shelf): void {
    this.#shelves.push(shelf);
  }

  /** Adds what stands on another one, before the others: theirs are shown as it has them. */
  addFirst(shelf: Shelf): void {
    this.#shelves.unshift(shelf);
  }

  async list(): Promise<readonly ShelvedFile[]> {
    const paths = new Set<string>();
    const names = new Set<string>();
    const all: ShelvedFile[] = [];
    for (const shelf of this.#shelves) {
      for (const file of await shelf.list()) {
        if (paths.has(file.path)) continue;
        paths.add(file.path);
        const name = names.has(file.name) ? SECOND + file.name : file.name;
        names.add(name);
        all.push(name === file.name ? file : { ...file, name });
      }
    }
    return all;
  }

  async open(name: string): Promise<OpenedFile | NotOpened> {
    for (const shelf of this.#shelves) {
      const found = await shelf.open(name);
      if (found !== "missing") return found;
    }
    return await this.#ofSecond(name, (shelf, name) => shelf.open(name)) ?? "missing";
  }

  async remove(name: string): Promise<Removal> {
    for (const shelf of this.#shelves) {
      const done = await shelf.remove(name);
      if (done !== "missing") return done;
    }
    return await this.#ofSecond(name, (shelf, name) => shelf.remove(name)) ?? "missing";
  }

  async #ofSecond<T>(
    name: string,
    ask: (shelf: Shelf, name: string) => Promise<T | "missing">,
  ): Promise<T | undefined> {
    if (!name.startsWith(SECOND)) return undefined;
    for (const shelf of this.#shelves.slice(1)) {
      const answer = await ask(shelf, name.slice(SECOND.length));
      if (answer !== "missing") return answer as T;
    }
    return undefined;
  }
}
