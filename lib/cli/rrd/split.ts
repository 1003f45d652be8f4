/**
 * `rrd split`: writes one file for each recording, with the blueprints of its application.
 *
 * @module
 */
import { stat } from "node:fs/promises";
import type { StoreId } from "../../encoding/message_parts.ts";
import { type Placed, RecordingGroups } from "../../recordings/recording_groups.ts";
import { storeKey, storeOf } from "../../encoding/store_of.ts";
import { RerelayError } from "../../base/errors.ts";
import { UsageError } from "../args/arg_reader.ts";
import { escapeText } from "../../base/escape.ts";
import { EXIT } from "../exit_codes.ts";
import { plural } from "../../base/plural.ts";
import { partsOver } from "./input.ts";
import type { RrdContext } from "./context.ts";
import type { RrdOptions } from "./options.ts";
import { openOutput } from "./output.ts";
import { NOTHING_READ, RecordingFile } from "./recording_file.ts";

/** How many files are open at a time. */
const MAX_OPEN = 64;

/** Runs the command. */
export async function split(options: RrdOptions, context: RrdContext): Promise<number> {
  const { process, progress } = context;
  const files = new Files(options, context);
  await files.checkFolder();
  const groups = new RecordingGroups();
  let homeless = 0;
  for await (const batch of partsOver(options.files[0]!, options, context)) {
    for (const part of batch) {
      if (part.kind !== "message") continue;
      if (storeOf(part.msg) === undefined) homeless++;
      await files.write(groups.add(part.msg));
    }
  }
  await files.write(groups.finish());
  if (files.all.length === 0 && homeless === 0) throw new RerelayError(NOTHING_READ);
  await files.finish();
  progress.done();
  const list = files.all.map(({ path, messages, indexedChunks = null }) => ({
    ...{ file: path, messages, chunk_index: indexedChunks },
  }));
  process.stdout(
    options.json
      ? `${JSON.stringify(list, null, 2)}\n`
      : list.map(({ file, messages }) => `${escapeText(file)}: ${plural(messages, "message")}\n`)
        .join(""),
  );
  if (homeless === 0) return EXIT.ok;
  process.stderr(
    `error: ${
      plural(homeless, "message")
    } of unknown kind left out: nothing says of which recording\n`,
  );
  return EXIT.failed;
}

/** The files of all recordings, some of them open. */
class Files {
  readonly #folder: string;
  readonly #options: RrdOptions;
  readonly #context: RrdContext;
  readonly #byStore = new Map<string, RecordingFile>();
  /** The one used last at the end. */
  readonly #open = new Set<RecordingFile>();

  constructor(options: RrdOptions, context: RrdContext) {
    this.#folder = (options.output ?? ".").replace(/\/+$/, "") || "/";
    this.#options = options;
    this.#context = context;
  }

  get all(): RecordingFile[] {
    return [...this.#byStore.values()];
  }

  async checkFolder(): Promise<void> {
    const isFolder = await stat(this.#folder).then((found) => found.isDirectory(), () => false);
    if (!isFolder) {
      throw new UsageError(
        `${this.#folder} is not a folder: make it first, or choose another with -o`,
      );
    }
  }

  async write(placed: readonly Placed[]): Promise<void> {
    for (const { msg, store } of placed) await (await this.#fileOf(store)).write(msg);
  }

  async finish(): Promise<void> {
    for (const file of this.all) await file.finish(this.#context.process);
  }

  async #fileOf(store: StoreId): Promise<RecordingFile> {
    const key = storeKey(store);
    let file = this.#byStore.get(key);
    if (file === undefined) {
      const { files, force } = this.#options;
      const path = `${this.#folder}/${fileName(store, this.#byStore.size + 1)}`;
      file = new RecordingFile(path, await openOutput(path, files, this.#context, force));
      this.#byStore.set(key, file);
    }
    this.#open.delete(file);
    this.#open.add(file);
    if (this.#open.size > MAX_OPEN) {
      const [oldest] = this.#open;
      this.#open.delete(oldest!);
      await oldest!.output.suspend();
    }
    return file;
  }
}

/**
 * Makes a file's name from an id: numbered, for two ids may become the same once they are made
 * safe, and without anything that leads out of the folder.
 */
export function fileName({ kind, id }: StoreId, number: number): string {
  const safe = id.replaceAll(/[^A-Za-z0-9._-]+/g, "_").replace(/^\.+/, "").slice(0, 100);
  return `${String(number).padStart(3, "0")}-${safe || "recording"}.${
    kind === "Blueprint" ? "rbl" : "rrd"
  }`;
}
