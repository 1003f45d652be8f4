/**
 * Where recordings are written to: never over an input, and whole or not at all.
 *
 * @module
 */
import { realpath, stat } from "node:fs/promises";
import process from "node:process";
import type { WritableFile } from "../../adapters/types.ts";
import { FileExists } from "../../errors.ts";
import { UsageError } from "../args.ts";
import type { RrdContext } from "./input.ts";

/** Behind a file's name until it is whole. */
const UNFINISHED = ".part";

/** What takes the bytes of a recording. */
export interface Output {
  write(bytes: Uint8Array): Promise<void>;
  /** Lets go of the file until the next write. */
  suspend(): Promise<void>;
  /** Makes it last, under its name. */
  finish(): Promise<void>;
  /** Leaves nothing behind; safe to call at any time, does nothing once it is finished. */
  abandon(): Promise<void>;
}

/**
 * Opens an output.
 *
 * @param path `-` for standard output
 * @param inputs paths that must not be written to, under this or another name
 * @param force whether to replace what exists
 * @throws {UsageError} if it is one of the inputs, or a folder
 * @throws {FileExists} if it exists, without `force`
 */
export async function openOutput(
  path: string,
  inputs: readonly string[],
  context: RrdContext,
  force: boolean,
): Promise<Output> {
  const there = path === "-" ? undefined : await statOf(path);
  for (const input of inputs) {
    if (input === "-") continue;
    // An input that is not there must not cost what stands at the output.
    const { ino, dev } = await stat(input, { bigint: true });
    if (there?.ino === ino && there.dev === dev) {
      throw new UsageError(`${path} is the input: choose another file to write to`);
    }
  }
  if (path === "-") return standardOutput();
  if (there?.isDirectory()) throw new UsageError(`${path} is a folder: name a file in it`);
  // A device or a pipe has no name to take.
  if (there !== undefined && !there.isFile()) return directOutput(path, context);
  if (there !== undefined && !force) throw new FileExists(path);
  const output = new FileOutput(there === undefined ? path : await realpath(path), context, force);
  context.unfinished.add(output);
  await output.open();
  return output;
}

/** A file that has another name until it is whole. */
class FileOutput implements Output {
  readonly #path: string;
  readonly #context: RrdContext;
  readonly #force: boolean;
  #file: WritableFile | undefined;
  #isMade = false;

  constructor(path: string, context: RrdContext, force: boolean) {
    this.#path = path;
    this.#context = context;
    this.#force = force;
  }

  async open(): Promise<WritableFile> {
    const mode = this.#isMade ? "append" : this.#force ? "replace" : "new";
    const file = await this.#context.files.create(this.#path + UNFINISHED, mode);
    this.#isMade = true;
    return this.#file = file;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await (this.#file ?? await this.open()).write(bytes);
  }

  async suspend(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async finish(): Promise<void> {
    const { files, unfinished } = this.#context;
    await (this.#file ?? await this.open()).sync();
    await this.suspend();
    if (!this.#force && (await files.kind(this.#path)) !== undefined) {
      throw new FileExists(this.#path);
    }
    await files.rename(this.#path + UNFINISHED, this.#path);
    this.#isMade = false;
    unfinished.delete(this);
  }

  async abandon(): Promise<void> {
    this.#context.unfinished.delete(this);
    const isMade = this.#isMade;
    this.#isMade = false;
    await this.suspend().catch(() => {}); // what it says does not matter any more
    if (isMade) await this.#context.files.remove(this.#path + UNFINISHED);
  }
}

async function directOutput(path: string, { files }: RrdContext): Promise<Output> {
  const file = await files.create(path, "replace");
  return {
    write: (bytes) => file.write(bytes),
    suspend: () => Promise.resolve(),
    finish: () => file.close(),
    abandon: () => file.close(),
  };
}

/** Standard output, as fast as its reader takes it. */
export function standardOutput(): Output {
  return {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        process.stdout.write(bytes, (error) => error ? reject(error) : resolve());
      }),
    suspend: () => Promise.resolve(),
    finish: () => Promise.resolve(),
    abandon: () => Promise.resolve(),
  };
}

/** Of what a link leads to. */
async function statOf(path: string) {
  try {
    return await stat(path, { bigint: true });
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return undefined;
    throw error;
  }
}
