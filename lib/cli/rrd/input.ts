/**
 * The parts of a file, or of standard input, with progress on a terminal.
 *
 * @module
 */
import { SYSTEM_CLOCK } from "../../base/clock.ts";
import { stat } from "node:fs/promises";
import process from "node:process";
import type { FileAdapter } from "../../adapters/files/types.ts";
import { RerelayError } from "../../base/errors.ts";
import type { RrdPart } from "../../encoding/rrd/part.ts";
import type { RrdLoss } from "../../recordings/report.ts";
import { RrdScanner, type RrdScannerOptions } from "../../encoding/rrd/scanner.ts";
import { escapeText } from "../../base/escape.ts";
import { plural } from "../../base/plural.ts";
import { formatBytes } from "../terminal/units.ts";
import { pathText } from "./system_text.ts";
import type { RrdContext } from "./context.ts";
import type { RrdOptions } from "./options.ts";
import type { Progress } from "./progress.ts";

/** An input that can't be read, or not to its end. */
export class InputError extends RerelayError {
  /**
   * Names the input, and why it can't be read.
   *
   * @param input its name
   * @param why it can't be read
   * @param cause what was thrown
   */
  constructor(readonly input: string, readonly why: string, override readonly cause: unknown) {
    super(`${input}: ${why}`, { cause });
  }
}

/** Bytes that are searched at once behind damage. */
const SEARCH_BYTES = 4 << 20;

/** How a file is read. */
export interface PartsOptions extends RrdScannerOptions {
  /** Called with all bytes that are read. */
  readonly onBytes?: (bytes: Uint8Array) => void;
}

/**
 * Reads a file in bounded memory; gives, for each read, the parts that it completed.
 *
 * @param path `-` for standard input
 * @throws {InputError} if it can't be read, or is damaged and not to be recovered
 */
export async function* parts(
  path: string,
  { maxMessageBytes }: RrdOptions,
  { files, progress }: RrdContext,
  { onBytes, ...how }: PartsOptions = {},
): AsyncGenerator<RrdPart[]> {
  const scanner = new RrdScanner({ maxMessageBytes, searchBytes: SEARCH_BYTES, ...how });
  const source = new Source(path, files, progress);
  try {
    let isEmpty = true;
    for (let isOver = false; !isOver;) {
      const bytes = await source.next().catch((cause) => {
        throw new InputError(nameOf(path), pathText(path, cause), cause);
      });
      isOver = bytes === undefined;
      if (bytes !== undefined) onBytes?.(bytes);
      isEmpty &&= isOver;
      if (isEmpty) throw new InputError(nameOf(path), "it is empty", undefined);
      const { items, error } = bytes === undefined ? scanner.finish() : scanner.push(bytes);
      if (items.length > 0) yield items;
      // In steps, so that signals and the progress bar work while long damage is searched.
      while (scanner.isSearching) {
        await SYSTEM_CLOCK.delay(0);
        const { items } = scanner.push(new Uint8Array(0));
        if (items.length > 0) yield items;
      }
      if (error !== undefined) throw new InputError(nameOf(path), error.message, error);
      progress.add(bytes?.length ?? 0);
    }
  } finally {
    await source.close();
  }
}

/** Why a stream may have no end marker. */
export const NO_END = "cut at a message, or its writer was stopped";

/**
 * As {@linkcode parts}, but tells on standard error where an end marker is missing, and with
 * `--continue-on-error` reads over damage and tells of it.
 *
 * @throws {InputError} with `--strict` also behind a stream without its end marker
 */
export async function* partsOver(
  path: string,
  options: RrdOptions,
  context: RrdContext,
): AsyncGenerator<RrdPart[]> {
  const { progress } = context;
  const name = escapeText(nameOf(path));
  let missing = 0;
  for await (const batch of parts(path, options, context, { recover: options.continueOnError })) {
    let failure: InputError | undefined;
    for (const part of batch) {
      if (part.kind === "damage") progress.line(`error: ${name}: ${lossText(part)}`);
      if (part.kind !== "no-end") continue;
      const why = noEndText(part.offset);
      if (options.strict) failure ??= new InputError(nameOf(path), why, undefined);
      else if (++missing === 1) progress.line(`warning: ${name}: ${why}`);
    }
    yield batch;
    if (failure !== undefined) throw failure;
  }
  if (missing > 1) {
    progress.line(
      `warning: ${name}: no end marker at ${plural(missing - 1, "other place")} either`,
    );
  }
}

/** A text that says where an end marker is missing, and why that may be. */
export function noEndText(offset: number): string {
  return `no end marker at byte ${offset}: ${NO_END}`;
}

/** Gives the bytes of a file, one read after another. */
class Source {
  #reads: AsyncIterator<Uint8Array> | undefined;

  constructor(readonly path: string, readonly files: FileAdapter, readonly progress: Progress) {}

  /** The next bytes; `undefined` behind the end. */
  async next(): Promise<Uint8Array | undefined> {
    if (this.#reads === undefined) {
      const { path, progress, files } = this;
      progress.start(path, path === "-" ? undefined : await sizeOf(path));
      const source = path === "-" ? standardInput() : await files.open(path);
      this.#reads = source[Symbol.asyncIterator]();
    }
    const { done, value } = await this.#reads.next();
    return done ? undefined : value;
  }

  /** Closes the file, read to its end or not. */
  async close(): Promise<void> {
    await this.#reads?.return?.();
  }
}

/** A text that says what is lost, where and why. */
export function lossText({ offset, bytes, error }: RrdLoss): string {
  return `${formatBytes(bytes)} lost at byte ${offset}: ${escapeText(error.message)}`;
}

async function sizeOf(path: string): Promise<number | undefined> {
  const found = await stat(path);
  if (found.isDirectory()) throw Object.assign(new Error("a folder"), { code: "EISDIR" });
  return found.size > 0 ? found.size : undefined;
}

/** Whether standard input is a terminal, from which no recording comes. */
export function isStdinTerminal(): boolean {
  return process.stdin.isTTY === true;
}

async function* standardInput(): AsyncGenerator<Uint8Array> {
  for await (const chunk of process.stdin) {
    const { buffer, byteOffset, length } = chunk as Buffer<ArrayBuffer>;
    yield new Uint8Array(buffer, byteOffset, length);
  }
}

/** The path, as error messages show it. */
export function nameOf(path: string): string {
  return path === "-" ? "standard input" : path;
}
