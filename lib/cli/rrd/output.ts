/**
 * Outputs of commands: they are never written over an input, and are written completely or not at
 * all.
 *
 * @module
 */
import { fstatSync } from "node:fs";
import { stat } from "node:fs/promises";
import { takeOverPlace, unkeptText } from "../../adapters/files/in_place.ts";
import type { FileMode, WritableFile } from "../../adapters/files/types.ts";
import { escapeText } from "../../base/escape.ts";
import { FileExists, RerelayError } from "../../base/errors.ts";
import { UsageError } from "../args/arg_reader.ts";
import { InputError, nameOf } from "./input.ts";
import type { RrdContext } from "./context.ts";
import { lockSaving, unfinishedName } from "../../sinks/file/output_lock.ts";
import { outputWriter } from "../terminal/output_writer.ts";
import { codeOf, pathText, systemText } from "./system_text.ts";

/** An output that can't be written. */
export class OutputError extends RerelayError {
  /** Names the output, and takes what was thrown. */
  constructor(readonly output: string, override readonly cause: unknown) {
    super(`${output} can't be written: ${systemText(cause)}`, { cause });
  }
}

/** What takes the bytes of a recording. */
export interface Output {
  write(bytes: Uint8Array): Promise<void>;
  /** Closes the file until the next write. */
  suspend(): Promise<void>;
  /** Completes the output, and gives it its name. */
  finish(): Promise<void>;
  /**
   * Removes what was written; safe to call at any time, does nothing once the output is finished.
   */
  abandon(): Promise<void>;
}

/**
 * Opens an output.
 *
 * @param path `-` for standard output
 * @param inputs paths that must not be written to, under this or another name
 * @param force whether to replace what exists
 * @throws {UsageError} if it is one of the inputs, also by redirection, or a folder
 * @throws {FileExists} if it exists, without `force`
 */
export async function openOutput(
  path: string,
  inputs: readonly string[],
  context: RrdContext,
  force: boolean,
): Promise<Output> {
  if (path === "-") {
    await checkStandardOutput(inputs);
    return standardOutput();
  }
  const there = await statOf(path);
  for (const input of inputs) {
    if (input === "-") continue;
    // Before anything is written: a missing input must not cost an existing output.
    const { ino, dev } = await stat(input, { bigint: true }).catch((cause) => {
      throw new InputError(nameOf(input), pathText(input, cause), cause);
    });
    if (there?.ino === ino && there.dev === dev) {
      throw new UsageError(`${path} is the input: choose another file to write to`);
    }
  }
  if (there?.isDirectory()) throw new UsageError(`${path} is a folder: name a file in it`);
  // A device or a pipe is written to directly.
  if (there !== undefined && !there.isFile()) return directOutput(path, context);
  if (there !== undefined && !force) throw new FileExists(path);
  const output = new FileOutput(await context.files.realPath(path), context, force);
  context.unfinished.add(output);
  await output.open();
  return output;
}

/**
 * Refuses standard output that goes to an input, as by `>>` of a shell: a file that grows while it is
 * read has no end.
 */
async function checkStandardOutput(inputs: readonly string[]): Promise<void> {
  const out = openStat(1);
  if (out?.isFile() !== true) return;
  for (const input of inputs) {
    // One that is missing is told when it is read: nothing is written before.
    const found = input === "-" ? openStat(0) : await statOf(input).catch(() => undefined);
    if (found?.ino !== out.ino || found.dev !== out.dev) continue;
    throw new UsageError(`standard output is the input ${nameOf(input)}: write to another file`);
  }
}

/** Looks at an open file; `undefined` where it is closed. */
function openStat(descriptor: number) {
  try {
    return fstatSync(descriptor, { bigint: true });
  } catch {
    return undefined;
  }
}

/**
 * Rewrites a file in its place, completely or not at all; it keeps its owner and its rights.
 *
 * @param path of a file
 * @param fill writes what is to be in it
 * @throws whatever `fill` throws; the file is then as it was
 */
export async function rewriteFile(
  path: string,
  context: RrdContext,
  fill: (write: (bytes: Uint8Array) => Promise<void>) => Promise<void>,
): Promise<void> {
  const output = new FileOutput(await context.files.realPath(path), context, true);
  context.unfinished.add(output);
  try {
    await output.open();
    await fill((bytes) => output.write(bytes));
    await output.finish();
  } catch (error) {
    await output.abandon();
    throw error;
  }
}

/** A file that has a temporary name of its own, and a lock, until it is whole. */
class FileOutput implements Output {
  readonly #path: string;
  /** Its name until it is whole. */
  readonly unfinished: string;
  readonly #context: RrdContext;
  readonly #force: boolean;
  /** The open file, or its opening. */
  #file: Promise<WritableFile> | undefined;
  #isMade = false;
  #isAbandoned = false;
  #unlock: Promise<() => Promise<void>> | undefined;

  constructor(path: string, context: RrdContext, force: boolean) {
    this.#path = path;
    this.unfinished = unfinishedName(path, crypto.randomUUID().slice(0, 8));
    this.#context = context;
    this.#force = force;
  }

  open(): Promise<WritableFile> {
    return this.#file = named(this.#path, this.#open(this.#isMade ? "append" : "new"));
  }

  async #open(mode: FileMode): Promise<WritableFile> {
    const { files, processes, progress } = this.#context;
    await (this.#unlock ??= lockSaving(this.#path, files, processes, this.unfinished));
    const file = await files.create(this.unfinished, mode);
    if (this.#isMade) return file;
    this.#isMade = true;
    const unkept = await takeOverPlace(files, this.unfinished, this.#path);
    if (unkept !== undefined) {
      progress.line(`warning: ${escapeText(unkeptText(this.#path, unkept))}`);
    }
    return file;
  }

  async write(bytes: Uint8Array): Promise<void> {
    // The process is about to end, so nothing goes on here.
    if (this.#isAbandoned) return await new Promise(() => {});
    const file = await (this.#file ?? this.open());
    await named(this.#path, file.write(bytes));
  }

  async suspend(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await (await file)?.close();
  }

  async finish(): Promise<void> {
    const { files, unfinished } = this.#context;
    const file = await (this.#file ?? this.open());
    await named(this.#path, file.sync());
    await named(this.#path, this.suspend());
    if (!this.#force && await files.kind(this.#path) !== undefined) {
      throw new FileExists(this.#path);
    }
    await named(this.#path, files.rename(this.unfinished, this.#path));
    this.#isMade = false;
    unfinished.delete(this);
    const folder = this.#path.replace(/[^/\\]*$/, "");
    await files.syncFolder(folder).catch(() => {}); // some systems can't; the file has its name
    await this.#release();
  }

  async abandon(): Promise<void> {
    this.#isAbandoned = true;
    this.#context.unfinished.delete(this);
    await this.suspend().catch(() => {}); // what it says does not matter any more
    if (this.#isMade) await this.#context.files.remove(this.unfinished);
    this.#isMade = false;
    await this.#release();
  }

  async #release(): Promise<void> {
    const unlock = await this.#unlock?.catch(() => undefined); // somebody else has it
    this.#unlock = undefined;
    await unlock?.();
  }
}

/** Adds the name of the output to errors. */
async function named<T>(path: string, promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    throw error instanceof RerelayError ? error : new OutputError(path, error);
  }
}

async function directOutput(path: string, { files }: RrdContext): Promise<Output> {
  const file = await named(path, files.create(path, "replace"));
  return {
    write: (bytes) => named(path, file.write(bytes)),
    suspend: () => Promise.resolve(),
    finish: () => file.close(),
    abandon: () => file.close(),
  };
}

/** Standard output, as fast as its reader takes it. */
export function standardOutput(): Output {
  const write = outputWriter(1);
  return {
    async write(bytes) {
      try {
        for (let at = 0; at < bytes.length;) at += await write(bytes.subarray(at));
      } catch (error) {
        // A reader that has enough is no failure.
        throw codeOf(error) === "EPIPE" ? error : new OutputError("standard output", error);
      }
    },
    suspend: () => Promise.resolve(),
    finish: () => Promise.resolve(),
    abandon: () => Promise.resolve(),
  };
}

/** Looks at the target of a link; `undefined` if there is none. */
async function statOf(path: string) {
  try {
    return await stat(path, { bigint: true });
  } catch (error) {
    if (codeOf(error) === "ENOENT") return undefined;
    throw new OutputError(path, error);
  }
}
