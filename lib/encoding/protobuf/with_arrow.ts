/**
 * Replaces the Arrow data of a chunk's message; the rest of its envelope stays.
 *
 * @module
 */
import { BinaryReader, BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import { ArrowMsg } from "../arrow_msg.ts";
import { compressLz4 } from "../lz4/lz4_deflate.ts";
import { dialectOf, writeHead } from "./encode_log_msg.ts";

/** Bytes before a message in `.rrd`. */
const HEAD_BYTES = 16;
/** The kind of an `ArrowMsg`, and fields of it. */
const ARROW_MSG = 2;
const [UNCOMPRESSED_SIZE, IS_STATIC] = [3, 7];
const PAYLOAD = { v0: 1000, v1alpha1: 5 } as const;

/**
 * Gives a chunk other Arrow data, compressed if the old data was.
 *
 * @param msg in protobuf, decoded without an error
 * @param ipc an Arrow IPC stream
 * @param isStatic whether it has no times
 */
export function withArrow(msg: ArrowMsg, ipc: Uint8Array, isStatic: boolean): ArrowMsg {
  const { storeId, chunkId, encoded: { header, bytes } } = msg;
  const dialect = dialectOf(header);
  if (dialect === undefined) throw new TypeError("withArrow takes messages in protobuf");
  const { compression } = msg.arrow;
  const stored = compression === "lz4" ? compressLz4(ipc) : ipc;
  const reader = new BinaryReader(bytes.subarray(HEAD_BYTES));
  const writer = new BinaryWriter();
  while (reader.pos < reader.len) {
    const start = reader.pos;
    const [field, type] = reader.tag();
    reader.skip(type, field);
    if (field === PAYLOAD[dialect]) writer.tag(field, WireType.LengthDelimited).bytes(stored);
    else if (field === UNCOMPRESSED_SIZE) writer.tag(field, WireType.Varint).uint64(ipc.length);
    else if (field === IS_STATIC && dialect === "v1alpha1") {
      writer.tag(field, WireType.Varint).bool(isStatic);
    } else writer.raw(bytes.subarray(HEAD_BYTES + start, HEAD_BYTES + reader.pos));
  }
  const message = writer.finish();
  const whole = new Uint8Array(HEAD_BYTES + message.length);
  writeHead(whole, 0, ARROW_MSG, message.length);
  whole.set(message, HEAD_BYTES);
  const arrow = { bytes: stored, compression, uncompressedSize: ipc.length };
  return new ArrowMsg(storeId, chunkId, undefined, isStatic, arrow, { header, bytes: whole });
}
