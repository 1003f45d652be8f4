/**
 * Shows viewers what a sink has saved: from its index, and from the files that are being written.
 *
 * @module
 */
import type { FileAdapter, ReadableFile } from "../../../adapters/files/types.ts";
import { RerelayError } from "../../../base/errors.ts";
import { rrdVersionText } from "../../../encoding/rrd_header.ts";
import type {
  NotOpened,
  OpenedFile,
  Removal,
  Shelf,
  ShelvedFile,
} from "../../../recordings/shelf.ts";
import type { FileLine } from "./_index_line.ts";
import type { PartCatalog } from "./part_catalog.ts";
import type { PartIndex } from "./part_index.ts";
import type { RrdWriter } from "../writer/rrd_writer.ts";
import { PART_SUFFIX } from "../writer/writer_options.ts";

/** Options of {@linkcode SavedShelf}. */
export interface SavedShelfOptions {
  /** The folder of all files, with the separator at its end. */
  readonly folder: string;
  readonly adapter: FileAdapter;
  readonly catalog: PartCatalog;
  readonly index: Pick<PartIndex, "path" | "remove" | "isAway">;
  /** Gives the files that are being written. */
  readonly live: () => Iterable<RrdWriter>;
  /** Called with the names of files that were removed. */
  readonly onRemoved: (names: readonly string[]) => void;
}

/** Shows the files of one sink. Names that viewers give are only looked up, never used as a path. */
export class SavedShelf implements Shelf {
  readonly #options: SavedShelfOptions;
  /** Names of files that are being removed. */
  readonly #going = new Set<string>();

  /** @param options catalog, index and files */
  constructor(options: SavedShelfOptions) {
    this.#options = options;
  }

  async list(): Promise<readonly ShelvedFile[]> {
    const { folder, catalog, live } = this.#options;
    const real = await this.#realFolder();
    const writers = new Map([...live()].map((writer) => [writer.path, writer]));
    return Array.from(catalog.lines, (line): ShelvedFile => {
      const { name, application, recording, recordings, messages } = line;
      const writer = line.state === "writing" ? writers.get(folder + name) : undefined;
      const { firstAt, lastAt } = writer?.target.note?.times ?? line;
      return {
        ...{ name, path: real + name, application, recording, recordings },
        sdk: line.sdk ?? versionOf(writer),
        ...{ firstMs: firstAt, lastMs: lastAt },
        messages: writer?.written.messages ?? messages,
        bytes: writer?.whole.size ?? line.bytes,
        state: stateOf(line),
        damaged: line.damaged !== undefined,
        isOurs: true,
      };
    });
  }

  async open(name: string): Promise<OpenedFile | NotOpened> {
    const { folder, catalog, index, live } = this.#options;
    const line = catalog.get(name);
    if (line === undefined || this.#going.has(name)) return "missing";
    if (stateOf(line) === "left") return "left";
    const path = folder + name;
    if (line.state === "writing") {
      const file = await this.#openFile(path + PART_SUFFIX);
      // The file may have got its name meanwhile, and is whole then.
      const writer = Array.from(live()).find((writer) => writer.path === path && !writer.renamed);
      if (file !== undefined && writer !== undefined) {
        const bytes = Math.min(writer.whole.size, file.size);
        const growing = `${line.id}-`;
        return { file, bytes, version: growing + bytes, growing };
      }
      await file?.close();
    }
    const file = await this.#openFile(path) ?? await this.#openFile(path + PART_SUFFIX);
    if (file !== undefined) {
      const { size: bytes, modifiedMs = 0 } = file;
      return { file, bytes, version: `${line.id}-${bytes}-${Math.round(modifiedMs)}` };
    }
    // Somebody has removed it, or the drive was taken out and may come back.
    if (line.state === "closed" && !catalog.isBusy(name) && !await index.isAway()) {
      catalog.remove(name);
    }
    return "missing";
  }

  async remove(name: string): Promise<Removal> {
    const { catalog, index, onRemoved } = this.#options;
    const line = catalog.get(name);
    if (line === undefined || this.#going.has(name)) return "missing";
    if (line.state !== "closed") return stateOf(line) === "left" ? "busy" : "writing";
    if (catalog.isBusy(name)) return "busy";
    this.#going.add(name);
    try {
      // It would be back with the drive, and nobody would know it any more.
      if (await index.isAway()) {
        throw new RerelayError("the folder of the recordings is not there now");
      }
      await index.remove(name);
    } finally {
      this.#going.delete(name);
    }
    onRemoved([name]);
    return "removed";
  }

  /** Opens a file, but nothing that a link leads to; `undefined` if there is no such file. */
  async #openFile(path: string): Promise<ReadableFile | undefined> {
    const { adapter } = this.#options;
    if (await adapter.kind(path) !== "file") return undefined;
    try {
      return await adapter.openAt(path);
    } catch (error) {
      // It was renamed or removed just now.
      if (await adapter.kind(path) === undefined) return undefined;
      throw error;
    }
  }

  /**
   * The real path of the folder, asked by the path of the index: links to folders alone are not
   * followed.
   */
  async #realFolder(): Promise<string> {
    const { folder, adapter, index: { path } } = this.#options;
    const real = await adapter.realPath(path).catch(() => path);
    return real.slice(0, real.length - (path.length - folder.length));
  }
}

function stateOf({ state }: FileLine): ShelvedFile["state"] {
  if (state === "writing" || state === "closed") return state;
  return state === "closing" ? "writing" : "left";
}

function versionOf(writer: RrdWriter | undefined): string | undefined {
  return writer?.header && rrdVersionText(writer.header.version);
}
