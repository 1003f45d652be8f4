/** Chunks with numbers in them, for tests of what travels. */
import type { SmartMessage } from "../../lib/flow/channel/smart_message.ts";
import { ArrowMsg } from "../../lib/encoding/arrow_msg.ts";
import { encodeLogMsg, protobufHeader } from "../../lib/encoding/protobuf/encode_log_msg.ts";
import { decodeProtobufLogMsg } from "../../lib/encoding/protobuf/protobuf_log_msg.ts";
import { decodeRrdHeader } from "../../lib/encoding/rrd_header.ts";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import { grpcMessages } from "../grpc_frames.ts";
import { Tuid } from "../../lib/encoding/tuid.ts";

/** What the messages come under. */
export const HEADER = protobufHeader({ major: 0, minor: 41, patch: 0, meta: 0 });
/** Of another generation, so that messages are encoded. */
const OLD = decodeRrdHeader(Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 22, 1, 0, 0, 2, 0, 0));
/** Time of the id of number 0. */
const FIRST = 1000;
const NOTHING = { header: OLD, bytes: new Uint8Array(0) };

/** The announcement of a recording. */
export function announcement(recording: string, application = "robot"): LogMsg {
  const storeId = { kind: "Recording", id: recording, applicationId: application } as const;
  const info = {
    ...{ applicationId: application, storeId, isOfficialExample: false, started: 0n },
    storeSource: { kind: "Unknown" },
  } as const;
  const rowId = new Tuid(1n, 1n);
  return encoded(1, { kind: "SetStoreInfo", rowId, info, encoded: NOTHING } as LogMsg);
}

/** Real data, of which only the length matters: that of the smallest chunk, and of the largest. */
const [SMALL, LARGE] = (() => {
  const chunks = grpcMessages("0.41.0-mixed").filter((msg) => msg.kind === "ArrowMsg")
    .sort((a, b) => a.arrow.bytes.length - b.arrow.bytes.length);
  return [chunks[0]!.arrow, chunks.at(-1)!.arrow];
})();

/** A chunk whose id tells its number; large, or static where asked for. */
export function chunk(
  recording: string,
  number: number,
  isLarge = false,
  isStatic = false,
): LogMsg {
  return chunkOf(recording, number, isLarge ? LARGE : SMALL, isStatic);
}

/** A chunk whose id tells its number, with so many bytes that nobody looks at. */
export function longChunk(recording: string, number: number, length: number): LogMsg {
  const bytes = new Uint8Array(length);
  return chunkOf(recording, number, { bytes, compression: "off", uncompressedSize: length });
}

function chunkOf(
  recording: string,
  number: number,
  arrow: ArrowMsg["arrow"],
  isStatic = false,
): LogMsg {
  const storeId = { kind: "Recording", id: recording } as const;
  const id = new Tuid(BigInt(FIRST + number), BigInt(idOf(recording)));
  return encoded(2, new ArrowMsg(storeId, id, isStatic ? [] : undefined, isStatic, arrow, NOTHING));
}

/** What a chunk tells: its recording and number; `undefined` of anything else. */
export function told(msg: LogMsg): string | undefined {
  if (msg.kind !== "ArrowMsg" || msg.chunkId === undefined) return undefined;
  return `${msg.storeId.id} ${Number(msg.chunkId.timeNs) - FIRST}`;
}

/** As a sink is given it. */
export function received(msg: LogMsg, id = 1): SmartMessage {
  return { source: { kind: "grpc-client", id }, payload: { type: "msg", msg }, time: 0 };
}

function encoded(kind: number, msg: LogMsg): LogMsg {
  const bytes = encodeLogMsg(msg, "v1alpha1")!;
  return decodeProtobufLogMsg(kind, bytes.subarray(16), "v1alpha1", { header: HEADER, bytes });
}

function idOf(text: string): number {
  let hash = 7;
  for (const char of text) hash = (hash * 31 + char.charCodeAt(0)) % 1_000_003;
  return hash;
}
