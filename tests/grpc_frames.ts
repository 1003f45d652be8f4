/** Log messages of recorded gRPC calls. */
import { decodeProtobufLogMsg } from "../lib/encoding/protobuf/protobuf_log_msg.ts";
import { bytes, readMessage } from "../lib/encoding/protobuf/protobuf.ts";
import { decodeRrdHeader } from "../lib/encoding/rrd_header.ts";
import type { LogMsg } from "../lib/encoding/log_msg.ts";
import { fixture } from "./fixtures.ts";

/** That of 0.23.4, protobuf with LZ4. */
const HEADER = decodeRrdHeader(
  Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 23, 4, 0, 1, 2, 0, 0),
);

/** A message as `.rrd` has it, with its kind and its length before it. */
function withHead(kind: number, message: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(16 + message.length);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(kind), true);
  view.setBigUint64(8, BigInt(message.length), true);
  bytes.set(message, 16);
  return bytes;
}

/** The messages of one `WriteMessages` call: frames of a flag, a big-endian length and `{1: LogMsg}`. */
export function grpcMessages(name: string): LogMsg[] {
  const data = fixture(`grpc/${name}.frames.bin`);
  const view = new DataView(data.buffer);
  const messages: LogMsg[] = [];
  const take = (kind: number) =>
    bytes((message) => {
      const encoded = { header: HEADER, bytes: withHead(kind, message) };
      messages.push(decodeProtobufLogMsg(kind, encoded.bytes.subarray(16), "v1alpha1", encoded));
    });
  for (let at = 0; at < data.length;) {
    const length = view.getUint32(at + 1);
    at += 5 + length;
    readMessage(data.subarray(at - length, at), "WriteMessagesRequest", {
      1: bytes((msg) => readMessage(msg, "LogMsg", { 1: take(1), 2: take(2), 3: take(3) })),
    });
  }
  return messages;
}
