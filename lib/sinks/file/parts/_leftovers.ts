/**
 * Finds files that an earlier run did not close, and gives each the name under which it will be
 * recovered, so that no new file takes that name. Only files that the index names are touched.
 *
 * @module
 */
import type { FileAdapter } from "../../../adapters/files/types.ts";
import { PartExists, reason } from "../../../base/errors.ts";
import { isRrdMagic } from "../../../encoding/rrd_header.ts";
import type { Log } from "../../../base/log.ts";
import type { FolderSync } from "./folder_sync.ts";
import type { FileLine } from "./_index_line.ts";
import { COPY_SUFFIX, DAMAGED_SUFFIX, type PartIndex } from "./part_index.ts";
import { PART_SUFFIX } from "../writer/writer_options.ts";
import { isNameOf, type SavePattern, siblingPath } from "../save_pattern.ts";

/** How many names are tried before giving up. */
const MAX_NUMBER = 100_000;
/** How many files are named at once. */
const MAX_AT_ONCE = 64;
/** How many files of others are looked into. */
const MAX_LOOKS = 20;

/** A file to be recovered. */
export interface Leftover {
  /** What is known of it; `name` is the name that it will be recovered under. */
  readonly line: FileLine;
  /** The name that it has now, without its folder. */
  readonly at: string;
}

/** What {@linkcode findLeftovers} needs. */
export interface LeftoverOptions {
  readonly pattern: SavePattern;
  readonly adapter: FileAdapter;
  readonly log: Log;
  readonly index: PartIndex;
  readonly folder: FolderSync;
  /** What is in the pattern's folder. */
  readonly names: readonly string[];
}

/**
 * Finishes renaming what an earlier run had begun to rename, and gives each leftover its name.
 *
 * @returns the files to recover; a file that can't be given a name is logged and left as it is
 * @throws {PartExists} if the unfinished file of a pattern without braces is not ours
 */
export async function findLeftovers(options: LeftoverOptions): Promise<Leftover[]> {
  const { pattern, index, log, folder } = options;
  const others = index.others;
  const lines = index.takeUnfinished();
  const there = new Set(options.names);
  const known = new Set([...others, ...lines.flatMap(({ name, was = name }) => [name, was])]);
  const isFixed = pattern.placeholders.size === 0;
  if (isFixed && there.has(pattern.name + PART_SUFFIX) && !known.has(pattern.name)) {
    throw new PartExists(pattern.folder + pattern.name + PART_SUFFIX);
  }
  await tellOthers(options, known);
  const finder = new Finder(options, there);
  const find = async (line: FileLine): Promise<Leftover | undefined> => {
    try {
      const found = await finder.find(line);
      if (found !== undefined) index.hold(found.line);
      return found;
    } catch (error) {
      // Noted as it was, for the next start.
      await index.note(line);
      index.journal?.skipped(line.id);
      const path = pattern.folder + line.name;
      const text = `${path}, left by an earlier run, could not be given a name: ${reason(error)}`;
      log.write("error", text, { path });
      return undefined;
    }
  };
  const leftovers: Leftover[] = [];
  for (const group of independent(lines)) {
    const found = await Promise.all(group.map(find));
    leftovers.push(...found.filter((one) => one !== undefined));
  }
  await folder.sync();
  return leftovers;
}

/**
 * Cuts lines into groups of which no two are about files of one name: each of them waits for the disk, and
 * there may be thousands.
 */
function* independent(lines: readonly FileLine[]): Generator<FileLine[]> {
  let group: FileLine[] = [];
  const names = new Set<string>();
  for (const line of lines) {
    const own = [line.name, line.was ?? line.name];
    if (group.length === MAX_AT_ONCE || own.some((name) => names.has(name))) {
      yield group;
      group = [];
      names.clear();
    }
    group.push(line);
    for (const name of own) names.add(name);
  }
  if (group.length > 0) yield group;
}

class Finder {
  /** Names that were taken already: each file is one leftover, whatever the index says. */
  readonly #claimed = new Set<string>();

  constructor(readonly options: LeftoverOptions, readonly there: Set<string>) {}

  /** Finds a file, and gives it the name under which it will be recovered. */
  async find(line: FileLine): Promise<Leftover | undefined> {
    const found = await this.#find(line);
    if (found === undefined) return undefined;
    const { adapter, pattern } = this.options;
    await checkFile(pattern.folder + found.at, adapter);
    this.#claimed.add(found.at);
    return found;
  }

  async #find(line: FileLine): Promise<Leftover | undefined> {
    const { index } = this.options;
    const { name, was = name, state } = line;
    const there = { has: (name: string) => this.there.has(name) && !this.#claimed.has(name) };
    const part = name + PART_SUFFIX;
    switch (state) {
      case "closed":
        return undefined;
      case "closing":
        if (there.has(part)) return await this.#finish(line);
        if (!there.has(name)) await index.drop(line);
        else await index.recovered({ ...line, state: "closed" });
        return undefined;
      case "writing":
        if (there.has(part)) return await this.#name(line, part);
        await index.drop(line);
        return undefined;
      case "copying":
        if (await this.#finishCopy(line)) return undefined;
    }
    if (there.has(part)) return { line, at: part };
    if (there.has(name)) return { line, at: name };
    // The earlier run ended after it had noted the new name, and before it renamed the file.
    if (was !== name && there.has(was + PART_SUFFIX)) {
      await this.#rename(was + PART_SUFFIX, part);
      return { line, at: part };
    }
    await index.drop(line);
    return undefined;
  }

  /** Gives a whole file its name, or another one if somebody else's file has that name. */
  async #finish(line: FileLine): Promise<Leftover | undefined> {
    const { index, adapter, pattern } = this.options;
    const part = line.name + PART_SUFFIX;
    const size = await sizeOf(pattern.folder + part, adapter);
    if (size !== line.bytes || this.there.has(line.name)) return await this.#name(line, part);
    await this.#rename(part, line.name);
    await index.recovered({ ...line, state: "closed" });
    return undefined;
  }

  /** Gives a file a free name, which is noted before the file has it. */
  async #name(line: FileLine, at: string): Promise<Leftover> {
    const { index, pattern, adapter } = this.options;
    const name = this.#freeName(line.name);
    // Nobody else gets it meanwhile.
    this.there.add(name);
    const bytes = await sizeOf(pattern.folder + at, adapter);
    // Without hash and process: this run recovers it, or leaves that to a later one.
    const { hash: _, by: _by, ...known } = line;
    const left: FileLine = {
      ...known,
      ...{ name, state: "left", bytes, hasData: true },
      ...(name === line.name ? {} : { was: line.name }),
    };
    await index.note(left);
    const part = name + PART_SUFFIX;
    if (part !== at) await this.#rename(at, part);
    return { line: left, at: part };
  }

  /**
   * Whether the copy of what is whole in a file has its name, or gets it now; half a copy is
   * removed.
   */
  async #finishCopy(line: FileLine): Promise<boolean> {
    const { there, options: { adapter, index, pattern } } = this;
    const { name } = line;
    const [copy, original] = [name + COPY_SUFFIX, name + DAMAGED_SUFFIX];
    // While the leftover itself is there, a file named as its original is somebody else's, and the
    // copy may be half.
    const isLeft = there.has(name + PART_SUFFIX) || (there.has(copy) && there.has(name));
    if (isLeft || !there.has(original)) {
      if (there.has(copy)) await adapter.remove(pattern.folder + copy);
      return false;
    }
    if (await sizeOf(pattern.folder + original, adapter) !== line.bytes) return false;
    // The original was renamed, so the copy was complete on the disk.
    if (there.has(copy)) await this.#rename(copy, name);
    if (!there.has(name)) return false;
    const [bytes, damaged] = await Promise.all(
      [name, original].map((name) => sizeOf(pattern.folder + name, adapter)),
    );
    await index.recovered({ ...line, state: "closed", bytes: bytes!, damaged: damaged! });
    return true;
  }

  async #rename(from: string, to: string): Promise<void> {
    const { adapter, pattern: { folder } } = this.options;
    await adapter.rename(folder + from, folder + to);
    this.there.delete(from);
    this.there.add(to);
  }

  /** A free name: the old one, or the old one with a number. */
  #freeName(first: string): string {
    const { pattern } = this.options;
    const start = first === pattern.name ? 2 : 1;
    for (let n = start; n < MAX_NUMBER; n++) {
      const name = n === 1 ? first : siblingPath(first, n);
      const isOwn = n === 1 ? [name] : [name, name + PART_SUFFIX];
      const others = [...isOwn, name + COPY_SUFFIX, name + DAMAGED_SUFFIX];
      if (!others.some((name) => this.there.has(name))) return name;
    }
    throw new Error(`no name is free from ${first} up to number ${MAX_NUMBER}`);
  }
}

/** Logs which files look like leftovers but are not known to be ours: they stay as they are. */
async function tellOthers(
  { pattern, adapter, log, names }: LeftoverOptions,
  known: ReadonlySet<string>,
): Promise<void> {
  const others = names.filter((name) =>
    isNameOf(pattern, name, PART_SUFFIX) && !known.has(name.slice(0, -PART_SUFFIX.length))
  );
  const recordings: string[] = [];
  for (const name of others.slice(0, MAX_LOOKS)) {
    if (await isRecording(pattern.folder + name, adapter)) recordings.push(pattern.folder + name);
  }
  const [path] = recordings;
  if (path === undefined) return;
  const more = recordings.length === 1 ? "" : `, and ${recordings.length - 1} more like it`;
  log.write(
    "warn",
    `Left ${path} alone${more}: it was not made by this --save, or by an earlier version. ` +
      `To read it: rrd recover ${path} -o ${path.slice(0, -PART_SUFFIX.length)}`,
    { path },
  );
}

async function isRecording(path: string, adapter: FileAdapter): Promise<boolean> {
  try {
    await checkFile(path, adapter);
    const file = await adapter.openAt(path);
    const magic = new Uint8Array(4);
    const length = await file.readAt(0, magic).finally(() => file.close());
    return length === 4 && isRrdMagic(magic, 0);
  } catch {
    return false; // it can't be read, so it is somebody else's
  }
}

async function sizeOf(path: string, adapter: FileAdapter): Promise<number> {
  await checkFile(path, adapter);
  const file = await adapter.openAt(path);
  await file.close();
  return file.size;
}

/**
 * Checks that nobody has put something else in the place of a file: to open a pipe would wait for
 * whoever writes into it, and where a link leads is not ours.
 *
 * @throws {Error} if it is no file
 */
async function checkFile(path: string, adapter: FileAdapter): Promise<void> {
  if (await adapter.kind(path) === "other") throw new Error("it is no file any more");
}
