/** Messages of real SDKs, by what they logged. */
import { gunzipSync } from "node:zlib";
import { RrdDecoder } from "../../../lib/encoding/rrd/rrd_decoder.ts";
import type { ArrowMsg } from "../../../lib/encoding/arrow_msg.ts";
import type { LogMsg } from "../../../lib/encoding/log_msg.ts";
import { capturePackets, CAPTURES, fixture } from "../../fixtures.ts";
import { grpcMessages } from "../../grpc_frames.ts";

/** Captures of calls by gRPC. */
export const GRPC: readonly string[] = ["0.23.4-mixed", "0.36.2-mixed", "0.41.0-mixed"];

/** All messages of a capture. */
export function recorded(name: string): LogMsg[] {
  if (GRPC.includes(name)) return grpcMessages(name);
  const decoder = new RrdDecoder();
  return capturePackets(name).flatMap((packet) => decoder.decodePacket(packet).items);
}

/** Names of all captures. */
export const ALL: readonly string[] = [...CAPTURES, ...GRPC];

/** The same program, as far as each SDK can run it. */
export const MIXED: readonly string[] = ALL.filter((name) => name.endsWith("-mixed"));

/** Those of connections by TCP, whose program is one. */
export const TCP: readonly string[] = MIXED.filter((name) => !GRPC.includes(name));

/** Chunks and tables alone. */
export function arrowOf(messages: readonly LogMsg[]): ArrowMsg[] {
  return messages.filter((msg): msg is ArrowMsg => msg.kind === "ArrowMsg");
}

/** Some that were saved, in each of the encodings. */
export const SAVED: readonly (readonly [string, readonly ArrowMsg[]])[] = [
  ...["msgpack-off", "msgpack-lz4", "protobuf-off", "protobuf-lz4"].map((name) =>
    `encodings/0.22.1-mixed-${name}.rrd`
  ),
  "grpc/0.41.0.saved-by-rerun.rrd",
  "tables/0.11.0-static-row.rrd",
  "tables/0.15.1-static-row.rrd",
  "tables/0.16.1-static-row.rrd",
].map((path) => [path, arrowOf(new RrdDecoder().push(fixture(path)).items)] as const);

/** One of each kind of data, as one program logged it with SDKs from 0.9 on, by their versions. */
export const KINDS: ReadonlyMap<string, readonly LogMsg[]> = new Map(
  ["0.9.1", "0.15.1", "0.16.1", "0.17.0", "0.21.0", "0.23.4", "0.41.0"].map((version) => {
    const file = new Uint8Array(gunzipSync(fixture(`kinds/${version}.rrd.gz`)));
    return [version, new RrdDecoder().push(file).items] as const;
  }),
);
