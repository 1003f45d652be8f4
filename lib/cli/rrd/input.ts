/**
 * The parts of a file, or of standard input, with progress on a terminal.
 *
 * @module
 */
import { stat } from "node:fs/promises";
import process from "node:process";
import type { FileAdapter } from "../../adapters/types.ts";
import type { RrdPart } from "../../rrd/part.ts";
import type { RrdLoss } from "../../rrd/report.ts";
import { RrdScanner, type RrdScannerOptions } from "../../rrd/scanner.ts";
import { escapeText } from "../../escape.ts";
import type { CliProcess } from "../process.ts";
import { formatBytes } from "../units.ts";
import type { RrdOptions } from "./options.ts";
import type { Progress } from "./progress.ts";
import type { Unfinished } from "./unfinished.ts";

/** What the commands share. */
export interface RrdContext {
  readonly process: CliProcess;
  readonly files: FileAdapter;
  readonly progress: Progress;
  readonly unfinished: Unfinished;
}

/**
 * Reads a file, in bounded memory: the parts that each read made whole.
 *
 * @param path `-` for standard input
 * @throws {Error} if it can't be read
 * @throws {RrdDamage} at the first damage, unless it is to recover
 */
export async function* parts(
  path: string,
  { files, progress }: RrdContext,
  options: RrdScannerOptions = {},
): AsyncGenerator<RrdPart[]> {
  const scanner = new RrdScanner(options);
  progress.start(path, path === "-" ? undefined : await sizeOf(path));
  for await (const bytes of path === "-" ? standardInput() : await files.open(path)) {
    const { items, error } = scanner.push(bytes);
    if (items.length > 0) yield items;
    if (error !== undefined) throw error;
    progress.add(bytes.length);
  }
  const { items, error } = scanner.finish();
  if (items.length > 0) yield items;
  if (error !== undefined) throw error;
}

/**
 * As {@linkcode parts}; with `--continue-on-error` over damage, which is told on standard error.
 */
export async function* partsOver(
  path: string,
  { continueOnError }: RrdOptions,
  context: RrdContext,
): AsyncGenerator<RrdPart[]> {
  for await (const batch of parts(path, context, { recover: continueOnError })) {
    for (const part of batch) {
      if (part.kind === "damage") {
        context.process.stderr(`error: ${nameOf(path)}: ${lossText(part)}\n`);
      }
    }
    yield batch;
  }
}

/** Says what is lost where, and why. */
export function lossText({ offset, bytes, error }: RrdLoss): string {
  return `${formatBytes(bytes)} lost at byte ${offset}: ${escapeText(error.message)}`;
}

async function sizeOf(path: string): Promise<number | undefined> {
  const { size } = await stat(path);
  return size > 0 ? size : undefined;
}

async function* standardInput(): AsyncGenerator<Uint8Array> {
  for await (const chunk of process.stdin) {
    // Bun hands out the same memory again.
    yield new Uint8Array(chunk as Uint8Array);
  }
}

/** The path as messages show it. */
export function nameOf(path: string): string {
  return path === "-" ? "standard input" : path;
}
