/** Messages for sinks: real encoded bytes, with no more decoded than sinks look at. */
import { decodeRrdHeader, type RrdHeader } from "../../lib/encoding/rrd_header.ts";
import type { SmartMessage } from "../../lib/flow/channel/smart_message.ts";
import type { Log, LogLevel } from "../../lib/base/log.ts";
import { capturePackets } from "../fixtures.ts";

/** A message of these bytes. */
export function message(header: RrdHeader, bytes: Uint8Array): SmartMessage {
  const msg = {
    kind: "UnknownMsg",
    name: "test",
    encoded: { header, bytes },
  } as const;
  return { source: { kind: "tcp-client", id: 1 }, payload: { type: "msg", msg }, time: 0 };
}

/** The news that a client left. */
export const QUIT: SmartMessage = {
  source: { kind: "tcp-client", id: 1 },
  payload: { type: "quit" },
  time: 0,
};

/** The messages of a recorded connection: each of its packets holds one. */
export function captureMessages(name: string): SmartMessage[] {
  return capturePackets(name).map((packet) =>
    message(decodeRrdHeader(packet), packet.subarray(12))
  );
}

/** A header of this version and encoding. */
export function header(
  version: [number, number, number],
  compression: "off" | "lz4" = "off",
  serializer: "msgpack" | "protobuf" = "msgpack",
): RrdHeader {
  const options = [compression === "lz4" ? 1 : 0, serializer === "protobuf" ? 2 : 1, 0, 0];
  return decodeRrdHeader(Uint8Array.of(0x52, 0x52, 0x46, 0x32, ...version, 0, ...options));
}

/** A msgpack message, as far as its lengths go. */
export function msgpackMessage(
  payload: number,
  fill = 0xc0,
  version: [number, number, number] = [0, 22, 1],
): SmartMessage {
  const bytes = new Uint8Array(8 + payload).fill(fill);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, payload, true);
  view.setUint32(4, payload, true);
  return message(header(version), bytes);
}

/** The encoded bytes of a message. */
export function bytesOf({ payload }: SmartMessage): Uint8Array {
  if (payload.type !== "msg") throw new Error("not a message");
  return payload.msg.encoded.bytes;
}

export { concat } from "../encoding/rrd_builder.ts";

/** A log that keeps what is written to it. */
export function keptLog(): Log & { lines: [LogLevel, string][]; of(level: LogLevel): string[] } {
  const lines: [LogLevel, string][] = [];
  return {
    lines,
    of: (level) => lines.filter(([l]) => l === level).map(([, text]) => text),
    enabled: () => true,
    write: (level, text) => void lines.push([level, text]),
  };
}

/** What there is besides the index of the recordings. */
export function besidesIndex({ paths }: { readonly paths: readonly string[] }): string[] {
  return paths.filter((path) => !path.endsWith(".index.jsonl"));
}
