/**
 * The parts of a file, or of standard input, with progress on a terminal.
 *
 * @module
 */
import { stat } from "node:fs/promises";
import process from "node:process";
import type { FileAdapter } from "../../adapters/types.ts";
import type { RrdPart } from "../../rrd/part.ts";
import { RrdScanner, type RrdScannerOptions } from "../../rrd/scanner.ts";
import type { CliProcess } from "../process.ts";
import type { Progress } from "./progress.ts";

/** What the commands share. */
export interface RrdContext {
  readonly process: CliProcess;
  readonly files: FileAdapter;
  readonly progress: Progress;
}

/**
 * Reads a file part by part, in bounded memory.
 *
 * @param path `-` for standard input
 * @throws {Error} if it can't be read
 * @throws {RrdDamage} at the first damage, unless it is to recover
 */
export async function* parts(
  path: string,
  { files, progress }: RrdContext,
  options: RrdScannerOptions = {},
): AsyncGenerator<RrdPart> {
  const scanner = new RrdScanner(options);
  progress.start(path, path === "-" ? undefined : await sizeOf(path));
  for await (const bytes of path === "-" ? standardInput() : await files.open(path)) {
    const { items, error } = scanner.push(bytes);
    yield* items;
    if (error !== undefined) throw error;
    progress.add(bytes.length);
  }
  const { items, error } = scanner.finish();
  yield* items;
  if (error !== undefined) throw error;
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
