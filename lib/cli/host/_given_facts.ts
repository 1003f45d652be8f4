/**
 * What is known of a file from its first messages, without reading all of it.
 *
 * @module
 */
import type { ReadableFile } from "../../adapters/files/types.ts";
import { rrdVersionText } from "../../encoding/rrd_header.ts";
import { RrdScanner } from "../../encoding/rrd/scanner.ts";
import type { ShelvedFile } from "../../recordings/shelf.ts";
import type { FileLine } from "../../sinks/file/parts/noted_files.ts";

/** Bytes that are read of a file: recordings are announced at its beginning. */
const FRONT_BYTES = 256 * 1024;

/** What is known of a file without reading all of it. */
export type GivenFacts = Omit<ShelvedFile, "name" | "path" | "bytes" | "state" | "isOurs">;

/**
 * Reads the front of a recording.
 *
 * @param file is read, and stays open
 * @throws {RerelayError} if it begins as no recording does
 */
export async function frontFacts(file: ReadableFile): Promise<GivenFacts> {
  const front = new Uint8Array(Math.min(FRONT_BYTES, Math.max(file.size, 1)));
  let length = 0;
  for (let read = -1; read !== 0 && length < front.length; length += read) {
    read = await file.readAt(length, front.subarray(length));
  }
  const scanner = new RrdScanner();
  const { items, error } = scanner.push(front.subarray(0, length));
  if (items.length === 0) {
    const why = error ?? scanner.finish().error;
    if (why !== undefined) throw why;
  }
  let sdk: string | undefined;
  for (const part of items) {
    if (part.kind === "header") sdk ??= rrdVersionText(part.header.version);
    if (part.kind !== "message" || part.msg.kind !== "SetStoreInfo") continue;
    const { storeId, applicationId, started } = part.msg.info;
    if (storeId.kind !== "Recording") continue;
    const firstMs = Number(started / 1_000_000n);
    return { application: applicationId, recording: storeId.id, sdk, firstMs };
  }
  return { sdk };
}

/** What the server that saved a file noted of it, if the file has not changed since. */
export function notedFacts(line: FileLine | undefined, bytes: number): GivenFacts | undefined {
  if (line?.state !== "closed" || line.bytes !== bytes) return undefined;
  const { application, recording, recordings, sdk, firstAt, lastAt, messages, damaged } = line;
  return {
    ...{ application, recording, recordings, sdk, messages },
    ...{ firstMs: firstAt, lastMs: lastAt, damaged: damaged !== undefined },
  };
}
