/**
 * The list of closed files of a pattern, and how their recordings were announced: kept beside them,
 * so that a later run knows which files are its to remove and what unannounced recordings are.
 *
 * @module
 */
import { LimitedBytesTransformStream, toArrayBuffer } from "@std/streams";
import type { FileAdapter, WritableFile } from "../../../adapters/files/types.ts";
import { reason } from "../../../base/errors.ts";
import type { Log } from "../../../base/log.ts";
import { decodeLine, encodeLine, type IndexLine } from "./_index_line.ts";
import { isNameOf, type SavePattern } from "../save_pattern.ts";
import { type Keep, PartList } from "./part_list.ts";

/** Behind the pattern's name; no recording is called so. */
export const INDEX_SUFFIX = ".index.jsonl";

/** As large as an index is read. */
const MAX_INDEX_BYTES = 256 * 2 ** 20;
/** Announcements that are kept, and how long one may be, in bytes. */
const MAX_ANNOUNCED = 10_000;
const MAX_ANNOUNCEMENT_BYTES = 4096;

/** An announcement: the stream's header and the message. */
export type Announced = Extract<IndexLine, { kind: "store" }>;

/** See the module. What fails here is reported and costs no message. */
export class PartIndex {
  readonly #path: string;
  /** Let go of where nothing is ever removed: files may be made without end. */
  #list: PartList | undefined;
  readonly #announced = new Map<string, Announced>();
  #file: WritableFile | undefined;
  #warned = false;
  #writing: Promise<void> = Promise.resolve();

  private constructor(
    readonly pattern: SavePattern,
    readonly adapter: FileAdapter,
    readonly log: Log,
    keep: Keep,
  ) {
    this.#path = pattern.folder + pattern.name + INDEX_SUFFIX;
    this.#list = new PartList(keep);
  }

  /** Reads the index of earlier runs, if there is one, and writes it anew without what is gone. */
  static async open(
    pattern: SavePattern,
    adapter: FileAdapter,
    log: Log,
    keep: Keep,
  ): Promise<PartIndex> {
    const index = new PartIndex(pattern, adapter, log, keep);
    await index.#try("read", () => index.#load());
    await index.#try("written", () => index.#rewrite());
    if (keep.files === undefined && keep.bytes === undefined) index.#list = undefined;
    return index;
  }

  /** Announcements of earlier runs. */
  get announced(): Iterable<Announced> {
    return this.#announced.values();
  }

  /** Notes a file that was closed, removes those that are too many and tells their names. */
  async add(name: string, bytes: number, hasData = true): Promise<readonly string[]> {
    this.#list?.add(name, bytes, hasData);
    await this.#write({ kind: "file", name, bytes, hasData });
    const removed = this.#list?.takeOldest() ?? [];
    for (const old of removed) {
      await this.#try(`obeyed: ${old} stays`, async () => {
        await this.adapter.remove(this.pattern.folder + old);
        this.log.write("debug", `Removed ${old}, the oldest of ${this.pattern.name}`);
      });
      await this.#write({ kind: "removed", name: old });
    }
    return removed;
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
    await this.#try("closed", async () => await this.#file?.close());
  }

  async #load(): Promise<void> {
    if (await this.adapter.kind(this.#path) === undefined) return;
    const limit = new LimitedBytesTransformStream(MAX_INDEX_BYTES, { error: true });
    const bytes = await toArrayBuffer((await this.adapter.open(this.#path)).pipeThrough(limit));
    const text = new TextDecoder().decode(bytes);
    for (const line of text.split("\n").flatMap((line) => decodeLine(line) ?? [])) {
      if (line.kind === "store") this.#announced.set(line.store, line);
      // Only what this pattern makes is ever removed, whatever stands in the index.
      else if (!isNameOf(this.pattern, line.name)) continue;
      else if (line.kind === "file") this.#list?.add(line.name, line.bytes, line.hasData);
      else this.#list?.remove(line.name);
    }
    for (const store of this.#announced.keys()) {
      if (this.#announced.size <= MAX_ANNOUNCED / 2) break;
      this.#announced.delete(store);
    }
  }

  async #rewrite(): Promise<void> {
    const next = `${this.#path}.new`;
    const file = await this.adapter.create(next, "replace");
    const files = this.#list?.files.map((file) => ({ kind: "file", ...file }) as const) ?? [];
    for (const line of [...this.#announced.values(), ...files]) await file.write(encodeLine(line));
    await file.sync();
    await this.adapter.rename(next, this.#path);
    this.#file = file;
  }

  /** One line after the other, whoever writes them. */
  #write(line: IndexLine): Promise<void> {
    return this.#writing = this.#writing.then(() =>
      this.#try("written", async () => await this.#file?.write(encodeLine(line)))
    );
  }

  async #try(what: string, action: () => Promise<void>): Promise<void> {
    try {
      await action();
    } catch (error) {
      if (this.#warned) return;
      this.#warned = true;
      const text = `The index ${this.#path} could not be ${what}: ${reason(error)}`;
      this.log.write("warn", text, { path: this.#path });
    }
  }
}
