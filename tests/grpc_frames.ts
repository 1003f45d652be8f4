/** Log messages of recorded gRPC calls. */
import { decodeProtobufLogMsg } from "../lib/encoding/protobuf/protobuf_log_msg.ts";
import { bytes, readMessage } from "../lib/encoding/protobuf/protobuf.ts";
import type { LogMsg } from "../lib/encoding/log_msg.ts";
import { fixture } from "./fixtures.ts";

/** The messages of one `WriteMessages` call: frames of a flag, a big-endian length and `{1: LogMsg}`. */
export function grpcMessages(name: string): LogMsg[] {
  const data = fixture(`grpc/${name}.frames.bin`);
  const view = new DataView(data.buffer);
  const messages: LogMsg[] = [];
  const take = (kind: number) =>
    bytes((message) => {
      const encoded = { form: "grpc", bytes: message } as const;
      messages.push(decodeProtobufLogMsg(kind, message, "v1alpha1", encoded));
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
