/** What runs leave that end without closing their files. */
import {
  type FileHook,
  type MemoryFiles,
  memoryFiles,
} from "../../lib/adapters/files/memory_files.ts";
import { RrdDecoder } from "../../lib/encoding/rrd/rrd_decoder.ts";
import { RrdScanner } from "../../lib/encoding/rrd/scanner.ts";
import type { SmartMessage } from "../../lib/flow/channel/smart_message.ts";
import { rrdFileSink, type RrdFileSinkOptions } from "../../lib/sinks/file/rrd_file.ts";
import { capturePackets } from "../fixtures.ts";

/** All messages of a capture, of one client. */
export const CAPTURE: readonly SmartMessage[] = capturePackets("0.22.1-mixed").flatMap((packet) =>
  new RrdDecoder().push(packet).items.map((msg): SmartMessage => ({
    source: { kind: "tcp-client", id: 1 },
    payload: { type: "msg", msg },
    time: 0,
  }))
);

/** The same files in memory, with another hook. */
export async function copyOf(files: MemoryFiles, hook?: FileHook): Promise<MemoryFiles> {
  let isReady = false;
  const copy = memoryFiles((operation) => isReady ? hook?.(operation) : undefined);
  for (const path of files.paths) {
    const file = await copy.create(path, "new");
    await file.write(files.read(path)!);
    await file.close();
  }
  isReady = true;
  return copy;
}

/** The files of a run that saved messages and was killed. */
export async function killed(
  path: string,
  messages: readonly SmartMessage[] = CAPTURE,
  over: Partial<RrdFileSinkOptions> = {},
  files: MemoryFiles = memoryFiles(),
): Promise<MemoryFiles> {
  const sink = await rrdFileSink({ path, files, ...over });
  await sink.write(messages);
  // "always" writes all of it before the write is over.
  const left = await copyOf(files);
  await sink.close();
  return left;
}

/** Changes the bytes of a file. */
export async function change(
  files: MemoryFiles,
  path: string,
  how: (bytes: Uint8Array) => Uint8Array,
): Promise<Uint8Array> {
  const bytes = how(files.read(path)!.slice());
  const file = await files.create(path, "replace");
  await file.write(bytes);
  await file.close();
  return bytes;
}

/** The messages that `rrd recover` finds, each as text. */
export function wholeIn(bytes: Uint8Array): string[] {
  const scanner = new RrdScanner({ recover: true });
  return [...scanner.push(bytes).items, ...scanner.finish().items].flatMap((part) =>
    part.kind === "message"
      ? [String.fromCharCode(...part.msg.encoded.bytes.subarray(0, 5000))]
      : []
  );
}

/** The names of what there is, besides the index. */
export function names({ paths }: MemoryFiles): string[] {
  return paths.filter((path) => !path.endsWith(".index.jsonl")).sort();
}

/** The lines of an index. */
export function indexOf(files: MemoryFiles, path: string): Record<string, unknown>[] {
  const text = new TextDecoder().decode(files.read(path));
  return text.trim().split("\n").map((line) => JSON.parse(line));
}
