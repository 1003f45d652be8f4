/**
 * Recordings on a disk, as viewers ask for them: listed, read and removed by name alone.
 *
 * @module
 */
import type { ReadableFile } from "../adapters/files/types.ts";

/** One file, as far as that is known without reading it. */
export interface ShelvedFile {
  /**
   * The name by which it is asked for: it is in this list, and is never a path that leads
   * elsewhere.
   */
  readonly name: string;
  /** Where it is, links followed: by this, two shelves show one file once. Viewers are not told. */
  readonly path: string;
  /** The application of its first recording, where that is known. */
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
  /** How many logged messages it has. */
  readonly messages?: number | undefined;
  /** Its length in bytes; of a file that is being written, what is whole so far. */
  readonly bytes: number;
  /** `left`: an earlier run ended before it was closed, and it has to be recovered first. */
  readonly state: "writing" | "left" | "closed";
  /**
   * Whether it was damaged, and holds what could still be read; `undefined` if nobody has looked.
   */
  readonly damaged?: boolean | undefined;
  /** Whether a viewer may have it removed. */
  readonly isOurs: boolean;
}

/** A file that was opened: whatever happens to its name, this file is read. */
export interface OpenedFile {
  /** The open file; whoever reads it closes it. */
  readonly file: ReadableFile;
  /** Bytes of it that are whole: all of it, or what was written so far. */
  readonly bytes: number;
  /** A text that changes with the file's content. */
  readonly version: string;
  /**
   * Set if it only grows: its version is this text and its length in bytes, and so were the versions
   * that it had before.
   */
  readonly growing?: string;
}

/** Why a file is not opened: there is none of that name, or it has to be recovered first. */
export type NotOpened = "missing" | "left";

/** What came of the wish to remove a file. */
export type Removal = "removed" | "missing" | "writing" | "busy" | "foreign";

/** A place where recordings are. */
export interface Shelf {
  /** All files, in no order. */
  list(): Promise<readonly ShelvedFile[]>;
  /**
   * Opens one to read it.
   *
   * @param name as it is listed
   * @throws whatever the runtime says of a file that can't be read
   */
  open(name: string): Promise<OpenedFile | NotOpened>;
  /**
   * Removes a closed file, and what belongs to it.
   *
   * @param name as it is listed
   * @throws whatever the runtime says of a file that can't be removed
   */
  remove(name: string): Promise<Removal>;
}

/** Put before the name of a file if another shelf has a file of the same name. */
const SECOND = "(2) ";

/**
 * Several shelves as one: a file that is on two of them is shown once, as the first shelf has it.
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
  /** Whose each listed name is, since a shelf may itself have a file whose name begins so. */
  #owners: ReadonlyMap<string, Owner> = new Map();

  /** Adds another shelf behind the others. */
  add(shelf: Shelf): void {
    this.#shelves.push(shelf);
  }

  /**
   * Adds another shelf before the others: files that it shares with them are shown as it has them.
   */
  addFirst(shelf: Shelf): void {
    this.#shelves.unshift(shelf);
  }

  async list(): Promise<readonly ShelvedFile[]> {
    const all = new Map<string, { readonly shelf: Shelf; readonly file: ShelvedFile }>();
    for (const shelf of this.#shelves) {
      for (const file of await shelf.list()) {
        if (!all.has(file.path)) all.set(file.path, { shelf, file });
      }
    }
    // A file keeps the name that it was listed under: whoever has an older list, and asks for a file
    // that is gone, must not get, or remove, another one in its place.
    const names = new Map<string, string>();
    for (const [name, { path, name: own }] of this.#owners) {
      if (all.get(path)?.file.name === own) names.set(path, name);
    }
    const taken = new Set(names.values());
    const owners = new Map<string, Owner>();
    const listed: ShelvedFile[] = [];
    for (const [path, { shelf, file }] of all) {
      let name = names.get(path) ?? file.name;
      while (!names.has(path) && taken.has(name)) name = SECOND + name;
      taken.add(name);
      owners.set(name, { shelf, name: file.name, path });
      listed.push(name === file.name ? file : { ...file, name });
    }
    this.#owners = owners;
    return listed;
  }

  open(name: string): Promise<OpenedFile | NotOpened> {
    return this.#ask(name, (shelf, own) => shelf.open(own));
  }

  remove(name: string): Promise<Removal> {
    return this.#ask(name, (shelf, own) => shelf.remove(own));
  }

  /** Asks the shelf that has the file which was listed last under a name, or is listed now. */
  async #ask<T extends string | object>(
    name: string,
    ask: (shelf: Shelf, own: string) => Promise<T | "missing">,
  ): Promise<T | "missing"> {
    const [only, ...others] = this.#shelves;
    if (only !== undefined && others.length === 0) return await ask(only, name);
    const listed = this.#owners.get(name);
    const answer = listed === undefined ? "missing" : await ask(listed.shelf, listed.name);
    if (answer !== "missing") return answer;
    await this.list();
    const owner = this.#owners.get(name);
    return owner === undefined ? "missing" : await ask(owner.shelf, owner.name);
  }
}

/** A shelf, and the name of a file there. */
interface Owner {
  readonly shelf: Shelf;
  readonly name: string;
  /** Where the file is. */
  readonly path: string;
}
