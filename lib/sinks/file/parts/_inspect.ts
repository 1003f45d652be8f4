/**
 * Finds what is whole in a file of ours. Lengths are bounded only by the rest of the file, not by
 * the options that limit peers.
 *
 * @module
 */
import { SYSTEM_CLOCK } from "../../../base/clock.ts";
import type { FileReadAdapter } from "../../../adapters/files/types.ts";
import { NO_LIMITS } from "../../../encoding/limits.ts";
import type { RrdPart } from "../../../encoding/rrd/part.ts";
import { RrdReport } from "../../../recordings/report.ts";
import { RrdScanner } from "../../../encoding/rrd/scanner.ts";
import type { StepResult } from "../../../base/step.ts";
import { FileHash } from "./_file_hash.ts";

/** What was found in a file. */
export interface Inspected {
  readonly report: RrdReport;
  /** Its length. */
  readonly size: number;
  /**
   * Where the last message before the first damage ends, or the end marker or footer behind it; 0
   * if there is no message.
   */
  readonly whole: number;
  /** Whether there is a whole message behind damage. */
  readonly isTornInside: boolean;
  readonly hash: string;
}

/** Bytes that are searched at once behind damage, which takes about 10 ms. */
const SEARCH_BYTES = 512 * 1024;

/** Makes a scanner that reads a file of ours over all damage. */
export function ownScanner(sizeBytes: number): RrdScanner {
  return new RrdScanner({ ...NO_LIMITS, recover: true, sizeBytes, searchBytes: SEARCH_BYTES });
}

/**
 * Reads a file over all damage, in as much memory as its largest message takes.
 *
 * @param path where it is
 * @param adapter reads it
 * @param signal ends the reading
 * @throws whatever the runtime says, or the signal's reason
 */
export async function* partsOf(
  path: string,
  adapter: FileReadAdapter,
  signal: AbortSignal,
  onBytes: (bytes: Uint8Array) => void = () => {},
): AsyncGenerator<RrdPart> {
  const file = await adapter.openAt(path);
  await file.close();
  const scanner = ownScanner(file.size);
  for await (const bytes of await adapter.open(path)) {
    signal.throwIfAborted();
    onBytes(bytes);
    yield* scanned(scanner, scanner.push(bytes), signal);
  }
  yield* scanned(scanner, scanner.finish(), signal);
}

/**
 * Gives the results of a push. Long damage is searched in small steps, so that the program can do
 * other work in between.
 *
 * @param scanner with `searchBytes`
 * @param pushed what it returned
 * @param signal ends it
 */
export async function* scanned(
  scanner: RrdScanner,
  pushed: StepResult<RrdPart>,
  signal: AbortSignal,
): AsyncGenerator<RrdPart> {
  yield* pushed.items;
  while (scanner.isSearching) {
    await SYSTEM_CLOCK.delay(0);
    signal.throwIfAborted();
    yield* scanner.push(new Uint8Array(0)).items;
  }
}

/** Inspects a whole file; parameters and errors are those of {@linkcode partsOf}. */
export async function inspect(
  path: string,
  adapter: FileReadAdapter,
  signal: AbortSignal,
): Promise<Inspected> {
  const report = new RrdReport();
  const hash = new FileHash();
  let [size, whole, isTornInside] = [0, 0, false];
  const take = (bytes: Uint8Array) => {
    size += bytes.length;
    hash.update(bytes);
  };
  for await (const part of partsOf(path, adapter, signal, take)) {
    report.add(part);
    if (part.kind !== "message") continue;
    if (report.losses === 0 && report.guessedHeaders === 0) whole = part.offset + part.bytes;
    else isTornInside = true;
  }
  if (report.losses === 0 && report.messages > 0 && !isTornInside) whole = size;
  return { report, size, whole, isTornInside, hash: hash.text };
}
