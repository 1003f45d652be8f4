/**
 * What the indexes of a folder say of files that were closed.
 *
 * @module
 */
import type { FileReadAdapter } from "../../../adapters/files/types.ts";
import { FileHash } from "./_file_hash.ts";
import { IndexFile } from "./_index_file.ts";
import type { FileLine } from "./_index_line.ts";
import { INDEX_SUFFIX } from "./part_index.ts";

/** Compares a file with what was noted when it was closed. */
export class ClosedHash {
  readonly #hash = new FileHash();
  readonly #line: FileLine;
  #bytes = 0;

  /** @param line of the file, with a hash */
  constructor(line: FileLine) {
    this.#line = line;
  }

  /** Takes the next bytes of the file. */
  add(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    this.#hash.update(bytes);
  }

  /** What differs; `undefined` if nothing does. */
  finish(): string | undefined {
    const { bytes, hash } = this.#line;
    if (this.#bytes !== bytes) return `it has ${this.#bytes} bytes, and had ${bytes}`;
    return this.#hash.text === hash ? undefined : `its hash is ${this.#hash.text}, and was ${hash}`;
  }
}

/** Looks for files in the indexes beside them. */
export class ClosedHashes {
  readonly #adapter: FileReadAdapter;
  /** Of the folder that was looked into last. */
  #read: { readonly folder: string; readonly lines: Promise<Map<string, FileLine>> } | undefined;

  /** @param adapter reads the indexes */
  constructor(adapter: FileReadAdapter) {
    this.#adapter = adapter;
  }

  /**
   * What was noted of a file.
   *
   * @param path of the file
   * @returns `undefined` where nothing was, or no index can be read
   */
  async of(path: string): Promise<ClosedHash | undefined> {
    const [, folder = "", name = ""] = /^(.*[/\\])?([^/\\]*)$/s.exec(path) ?? [];
    if (this.#read?.folder !== folder) this.#read = { folder, lines: this.#linesIn(folder) };
    const line = (await this.#read.lines).get(name);
    return line === undefined ? undefined : new ClosedHash(line);
  }

  async #linesIn(folder: string): Promise<Map<string, FileLine>> {
    const hashed = new Map<string, FileLine>();
    const names = await this.#adapter.list(folder).catch(() => []);
    for (const name of names) {
      if (!name.endsWith(INDEX_SUFFIX)) continue;
      for await (const line of new IndexFile(folder + name, this.#adapter).lines()) {
        if (line.kind === "store") continue;
        if (line.kind === "removed") hashed.delete(line.name);
        else if (line.hash === undefined) hashed.delete(line.name);
        else hashed.set(line.name, line);
      }
    }
    return hashed;
  }
}
