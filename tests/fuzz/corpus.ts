/** Good packets of every SDK version and encoding there is a recording of: what gets mutated. */
import { compressLz4 } from "../../lib/encoding/lz4/lz4_deflate.ts";
import { RrdDecoder } from "../../lib/encoding/rrd/rrd_decoder.ts";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import { concat, rrdHeader } from "../encoding/rrd_builder.ts";
import { capturePackets, CAPTURES, fixture } from "../fixtures.ts";
import { grpcMessages } from "../grpc_frames.ts";

const FILES = ["msgpack-off", "msgpack-lz4", "protobuf-off", "protobuf-lz4"];
const GRPC = ["0.23.4-mixed", "0.36.2-mixed", "0.41.0-mixed"];

/** Ends a protobuf stream; msgpack ones may have 8 of these bytes. */
const END_MARKER = new Uint8Array(16);

/** Good packets, by where they are from. */
export const CORPUS: readonly Uint8Array<ArrayBuffer>[] = [
  ...CAPTURES.flatMap(capturePackets),
  ...CAPTURES.flatMap(capturePackets).map(compressed),
  ...FILES.flatMap((name) => packetsOfFile(fixture(`encodings/0.22.1-mixed-${name}.rrd`))),
  ...GRPC.flatMap((name) => grpcMessages(name).map(packetOfGrpc)),
];

/** Two of them that decode fast, one of each serializer. */
export const GOOD: readonly Uint8Array<ArrayBuffer>[] = [1, 2].map((serializer) =>
  CORPUS.find((packet) => packet[9] === serializer && packet.length < 1000)!
);

/** A msgpack packet of one message, its payload in LZ4 as Rerun's own files have it. */
function compressed(packet: Uint8Array): Uint8Array<ArrayBuffer> {
  const payload = packet.subarray(20);
  const block = compressLz4(payload);
  const lengths = new Uint8Array(8);
  const view = new DataView(lengths.buffer);
  view.setUint32(0, block.length, true);
  view.setUint32(4, payload.length, true);
  const [major, minor, patch, meta] = packet.subarray(4, 8);
  const header = rrdHeader({ version: [major!, minor!, patch!, meta!], compression: 1 });
  return concat(header, lengths, block);
}

function packetsOfFile(file: Uint8Array): Uint8Array<ArrayBuffer>[] {
  return new RrdDecoder().push(file).items.map(({ encoded }) => {
    return concat(encoded.header.bytes, encoded.bytes, END_MARKER);
  });
}

function packetOfGrpc({ encoded }: LogMsg): Uint8Array<ArrayBuffer> {
  return concat(encoded.header.bytes, encoded.bytes, END_MARKER);
}
