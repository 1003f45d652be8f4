/**
 * Shows viewers files and folders of the command line: `rerelay FILE… --serve-web`.
 *
 * @module
 */
import { lstat, realpath, stat } from "node:fs/promises";
import { basename, resolve, sep } from "node:path";
import type { FileReadAdapter, ReadableFile } from "../../adapters/files/types.ts";
import { type Clock, SYSTEM_CLOCK } from "../../base/clock.ts";
import { reason, RerelayError } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { NotOpened, OpenedFile, Removal, Shelf, ShelvedFile } from "../../recordings/shelf.ts";
import { notedFiles } from "../../sinks/file/parts/noted_files.ts";
import { shownArgument } from "../args/shown.ts";
import { recordingsIn } from "../rrd/folder.ts";
import { codeOf, mayBeNotUtf8, pathText } from "../rrd/system_text.ts";
import { frontFacts, type GivenFacts, notedFacts } from "./_given_facts.ts";

/** A file or folder can't be shown; the message names it, and says why. */
export class NotShown extends RerelayError {}

/** How many files are shown; if there are more, the first ones by name. */
const MAX_FILES = 50_000;
/** How long the listing of a folder counts, in milliseconds. */
const LOOK_MS = 2000;
/** Looking into folders may take one part in so many of the time. */
const LOOK_SHARE = 20;
/** How many files are read before the server is ready; the others are read afterwards. */
const FIRST_LOOKS = 200;

/** A file that was found. */
interface Found {
  readonly name: string;
  /** Its path, links followed. */
  readonly path: string;
  readonly bytes: number;
  readonly modifiedMs: number;
}

/** Shows files, and what is in folders, also if it comes later. */
export class GivenFiles implements Shelf {
  /** Paths of files, links followed. */
  readonly #files: readonly string[];
  readonly #folders: readonly string[];
  readonly #adapter: FileReadAdapter;
  readonly #log: Log;
  readonly #now: Clock["now"];
  #found = new Map<string, Found>();
  /** What is known of each file, by path; `facts` is absent if the file is not a recording. */
  readonly #facts = new Map<
    string,
    { readonly of: Found; readonly facts: GivenFacts | undefined }
  >();
  #looking: Promise<void> | undefined;
  #nextLook = 0;
  #isReading = false;
  #toldOthers = false;
  /** What was told of folders that can't be read: each is told once, until it can. */
  #told: ReadonlySet<string> = new Set();

  private constructor(
    files: readonly string[],
    folders: readonly string[],
    adapter: FileReadAdapter,
    log: Log,
    now: Clock["now"],
  ) {
    this.#files = files;
    this.#folders = folders;
    this.#adapter = adapter;
    this.#log = log;
    this.#now = now;
  }

  /**
   * Looks at all given files and folders.
   *
   * @param paths of files and folders
   * @param adapter reads them
   * @param log where it is logged what is left out
   * @param now monotonic milliseconds
   * @throws {NotShown} if one does not exist, or is not a recording
   */
  static async open(
    paths: readonly string[],
    adapter: FileReadAdapter,
    log: Log,
    now: Clock["now"] = SYSTEM_CLOCK.now,
  ): Promise<GivenFiles> {
    const files = new Set<string>();
    const folders = new Set<string>();
    for (const path of paths) {
      try {
        const found = await stat(path);
        const real = await realpath(path);
        if (found.isDirectory()) folders.add(real);
        else if (found.isFile()) files.add(real);
        else throw new Error("it is neither a file nor a folder");
        if (found.isFile()) await readFacts(real, adapter);
      } catch (error) {
        const shown = shownArgument(path, 200);
        const fix = codeOf(error) === "ENOENT" ? fixOf(path, shown) : "";
        throw new NotShown(`Can't show ${shown}: ${pathText(path, error)}${fix}`, { cause: error });
      }
    }
    const given = new GivenFiles([...files], [...folders], adapter, log, now);
    await given.#look();
    await given.#readFacts(FIRST_LOOKS);
    void given.#readFacts(Infinity);
    return given;
  }

  /** How many files are shown, as far as is known yet. */
  get count(): number {
    return [...this.#found.values()].filter(({ path }) => !this.#isOther(path)).length;
  }

  async list(): Promise<readonly ShelvedFile[]> {
    if (this.#folders.length > 0 && this.#now() >= this.#nextLook) {
      await (this.#looking ??= this.#look().finally(() => this.#looking = undefined));
      void this.#readFacts(Infinity);
    }
    const shown: ShelvedFile[] = [];
    for (const found of this.#found.values()) {
      const { name, path, bytes, modifiedMs } = found;
      if (this.#isOther(path)) continue;
      const facts = this.#facts.get(path)?.facts ?? {};
      const lastMs = facts.lastMs ?? Math.round(modifiedMs);
      shown.push({ ...facts, name, path, bytes, lastMs, state: "closed", isOurs: false });
    }
    return shown;
  }

  async open(name: string): Promise<OpenedFile | NotOpened> {
    const found = this.#found.get(name);
    if (found === undefined || this.#isOther(found.path)) return "missing";
    let file: ReadableFile | undefined;
    try {
      // A pipe in its place would keep the reader waiting, and the target of a link was not given.
      if (!(await lstat(found.path)).isFile()) return "missing";
      file = await this.#adapter.openAt(found.path);
      if (await realpath(found.path) === found.path) {
        const { size: bytes, modifiedMs = 0 } = file;
        const opened = { file, bytes, version: `given-${bytes}-${Math.round(modifiedMs)}` };
        file = undefined;
        return opened;
      }
    } catch (error) {
      if (await lstat(found.path).catch(() => undefined) !== undefined) throw error;
    } finally {
      await file?.close();
    }
    return "missing";
  }

  remove(name: string): Promise<Removal> {
    return Promise.resolve(this.#found.has(name) ? "foreign" : "missing");
  }

  async #look(): Promise<void> {
    const start = this.#now();
    const told = new Set<string>();
    const found = new Map<string, Found>();
    const paths = new Set<string>();
    const add = async (path: string, name: string) => {
      if (paths.has(path) || found.size >= MAX_FILES) return;
      // Not followed if it is a link by now: its target was not given.
      const there = await lstat(path).catch(() => undefined);
      if (there?.isFile() !== true) return;
      paths.add(path);
      const free = freeName(name, found);
      found.set(free, { name: free, path, bytes: there.size, modifiedMs: there.mtimeMs });
    };
    for (const path of this.#files) await add(path, basename(path));
    for (const folder of this.#folders) {
      const inside = await recordingsIn(folder).catch((error) => ({
        ...{ files: [], unnamed: [] },
        unread: [error],
      }));
      for (const error of [...inside.unread, ...inside.unnamed]) {
        const text = `Can't look into ${folder}: ${reason(error)}`;
        if (!this.#told.has(text)) {
          this.#log.write("warn", text, { path: folder, kind: "folder not read" });
        }
        told.add(text);
      }
      for (const path of inside.files) await add(path, nameIn(folder, path));
    }
    this.#found = found;
    this.#told = told;
    for (const path of this.#facts.keys()) if (!paths.has(path)) this.#facts.delete(path);
    const took = this.#now() - start;
    this.#nextLook = this.#now() + Math.max(LOOK_MS, LOOK_SHARE * took);
  }

  /** Reads the fronts of files that are new or changed, one after the other. */
  async #readFacts(most: number): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      let left = most;
      let noted: { folder: string; lines: Awaited<ReturnType<typeof notedFiles>> } | undefined;
      for (const found of this.#found.values()) {
        const { path, bytes, modifiedMs } = found;
        const known = this.#facts.get(path)?.of;
        if (known?.bytes === bytes && known.modifiedMs === modifiedMs) continue;
        if (left-- <= 0) return;
        const folder = path.slice(0, path.length - basename(path).length);
        if (noted?.folder !== folder) {
          noted = { folder, lines: await notedFiles(folder, this.#adapter) };
        }
        const facts = notedFacts(noted.lines.get(basename(path)), bytes) ??
          await readFacts(path, this.#adapter).catch(() => this.#tellOther(path));
        this.#facts.set(path, { of: found, facts });
      }
    } finally {
      this.#isReading = false;
    }
  }

  /** Whether a file is known not to be a recording. */
  #isOther(path: string): boolean {
    const known = this.#facts.get(path);
    return known !== undefined && known.facts === undefined;
  }

  #tellOther(path: string): undefined {
    const text = `${path} is not shown, for it is no recording, or can't be read ` +
      "(further ones: --log-level debug)";
    this.#log.write(this.#toldOthers ? "debug" : "warn", text, { path, kind: "no recording" });
    this.#toldOthers = true;
  }
}

/** What may have been meant by a path at which there is nothing. */
function fixOf(path: string, shown: string): string {
  if (/^(nats|tls):\/\//i.test(path)) return " (to receive from there: --from)";
  if (path.includes("://")) {
    return " (only files and folders of this machine can be shown: download it first)";
  }
  return mayBeNotUtf8(path) ? "" : ` (to write what is logged into it: --save ${shown})`;
}

async function readFacts(path: string, adapter: FileReadAdapter): Promise<GivenFacts> {
  const file = await adapter.openAt(path);
  try {
    if (file.size === 0) throw new Error("it is empty, and no recording");
    return await frontFacts(file);
  } finally {
    await file.close();
  }
}

/** A file's path below its folder, with slashes on every system. */
function nameIn(folder: string, path: string): string {
  return resolve(path).slice(resolve(folder).length).replace(/^[/\\]+/, "").replaceAll(sep, "/");
}

function freeName(name: string, taken: ReadonlyMap<string, unknown>): string {
  let free = name;
  for (let i = 2; taken.has(free); i++) free = `(${i}) ${name}`;
  return free;
}
