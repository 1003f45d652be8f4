/** Real recordings, and helpers to read them whole. */
import type { RrdPart } from "../../lib/encoding/rrd/part.ts";
import { RrdScanner, type RrdScannerOptions } from "../../lib/encoding/rrd/scanner.ts";
import { concat } from "../encoding/rrd_builder.ts";
import { capturePackets, CAPTURES, fixture } from "../fixtures.ts";

/** `.rrd` bytes by name: all four encodings, a file of SDK 0.41, and all captured connections. */
export const RECORDINGS: readonly (readonly [string, Uint8Array<ArrayBuffer>])[] = [
  ...["msgpack-off", "msgpack-lz4", "protobuf-off", "protobuf-lz4"].map((name) =>
    [name, fixture(`encodings/0.22.1-mixed-${name}.rrd`)] as const
  ),
  ["0.41.0", fixture("grpc/0.41.0.saved-by-rerun.rrd")],
  ...CAPTURES.map((name) => [name, concat(...capturePackets(name))] as const),
];

/** All parts of these bytes, and the error that ended them. */
export function scan(pieces: Uint8Array[], options: RrdScannerOptions = {}) {
  const scanner = new RrdScanner(options);
  const parts: RrdPart[] = [];
  for (const piece of pieces) {
    const { items, error } = scanner.push(piece);
    parts.push(...items);
    if (error !== undefined) return { parts, error };
  }
  const { items, error } = scanner.finish();
  parts.push(...items);
  return { parts, error };
}
