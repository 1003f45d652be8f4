/**
 * The service that SDKs and viewers call: Rerun's of today, and the one of SDK 0.22.
 *
 * @module
 */
import { dialectOf, encodeLogMsg } from "../../encoding/protobuf/encode_log_msg.ts";
import { bytes, readMessage, string } from "../../encoding/protobuf/protobuf.ts";
import type { ProtobufDialect } from "../../encoding/protobuf/protobuf_store_info.ts";
import { MESSAGE_HEADER_BYTES } from "../../encoding/rrd/rrd_message.ts";
import { InvalidMessage } from "../../base/errors.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import type { RrdHeader } from "../../encoding/rrd_header.ts";
import { partsOf } from "../../encoding/split_encoded.ts";
import { FRAME_HEAD_BYTES } from "./body.ts";

/** The highest kind of a log message whose tag has one byte. */
const MAX_KIND = 15;

const KINDS = { SetStoreInfo: 1, ArrowMsg: 2, BlueprintActivationCommand: 3 } as const;

/** Names of the service's methods. */
export const PROXY_METHODS = ["WriteMessages", "ReadMessages", "WriteTable", "ReadTables"] as const;

/** A method of the service, in one of its two definitions. */
export interface ProxyMethod {
  /** The method's name. */
  readonly name: "WriteMessages" | "ReadMessages" | "WriteTable" | "ReadTables";
  /** Which definitions its messages follow. */
  readonly dialect: ProtobufDialect;
}

const SERVICES: Readonly<Record<string, ProtobufDialect>> = {
  "rerun.sdk_comms.v1alpha1.MessageProxyService": "v1alpha1",
  "rerun.sdk_comms.v0.MessageProxy": "v0",
};

/**
 * The method that a path names.
 *
 * @param path such as `/rerun.sdk_comms.v1alpha1.MessageProxyService/WriteMessages`
 * @returns `undefined` if it is none of this service
 */
export function proxyMethod(path: string): ProxyMethod | undefined {
  const [empty, service = "", method, ...rest] = path.split("/", 4);
  const dialect = Object.hasOwn(SERVICES, service) ? SERVICES[service] : undefined;
  const name = PROXY_METHODS.find((name) => name === method);
  if (empty !== "" || rest.length > 0 || dialect === undefined || name === undefined) {
    return undefined;
  }
  // The older definition has no tables.
  return dialect === "v0" && name.includes("Table") ? undefined : { name, dialect };
}

/** Why there is nothing for a reader: it is data of another generation, or of an unknown kind. */
export type NotReadable = "other data" | "unknown kind";

/**
 * A message as `ReadMessages` gives it to a viewer.
 *
 * @param msg of any SDK
 * @param dialect of the viewer's service
 * @returns a frame in parts, of which the last ones may be the message's own bytes; or why there is none
 */
export function readFrame(msg: LogMsg, dialect: ProtobufDialect): Uint8Array[] | NotReadable {
  if (msg.kind === "ArrowMsg" && !isReadable(msg.encoded.header, dialect)) return "other data";
  const [first, ...rest] = encodedParts(msg, dialect);
  const kind = msg.kind === "UnknownMsg" ? Number(msg.name) : KINDS[msg.kind];
  if (first === undefined || !(kind <= MAX_KIND)) return "unknown kind";
  const message = [first.subarray(MESSAGE_HEADER_BYTES.protobuf), ...rest];
  const length = message.reduce((sum, part) => sum + part.length, 0);
  return [frameBefore(kind, length, dialect === "v1alpha1"), ...message];
}

/** The message in protobuf, in parts; none if its kind has no such form. */
function encodedParts(msg: LogMsg, dialect: ProtobufDialect): readonly Uint8Array[] {
  if (dialectOf(msg.encoded.header) === dialect) return partsOf(msg.encoded);
  const encoded = encodeLogMsg(msg, dialect);
  return encoded === undefined ? [] : [encoded];
}

/**
 * Whether a viewer of a service understands what came under a header, store infos and activations
 * included: a recording of which nothing else comes would only stand there empty. Columns are tagged
 * otherwise since 0.23, and were tables before 0.17.
 *
 * @param header that messages came under
 * @param dialect of the viewer's service
 */
export function isReadable(header: RrdHeader, dialect: ProtobufDialect): boolean {
  const came = dialectOf(header);
  if (dialect === "v1alpha1") return came === dialect;
  return came !== "v1alpha1" && header.version.minor >= 17;
}

/**
 * Makes what precedes a log message in the frames of `ReadMessages` and `WriteMessages`, which have
 * the same shape.
 *
 * @param kind of the message
 * @param length of the message in bytes
 * @param isWrapped whether the log message is the only field of a request or response, as since 0.23
 */
function frameBefore(kind: number, length: number, isWrapped: boolean): Uint8Array {
  const inner = 1 + varintBytes(length);
  const outer = isWrapped ? 1 + varintBytes(inner + length) : 0;
  const head = new Uint8Array(FRAME_HEAD_BYTES + outer + inner);
  new DataView(head.buffer).setUint32(1, outer + inner + length);
  let at = FRAME_HEAD_BYTES;
  if (isWrapped) at = writeField(head, at, 1, inner + length);
  writeField(head, at, kind, length);
  return head;
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes++;
  return bytes;
}

function writeField(into: Uint8Array, from: number, field: number, length: number): number {
  let at = from;
  into[at++] = field << 3 | 2;
  let rest = length;
  for (; rest >= 128; rest = Math.floor(rest / 128)) into[at++] = rest % 128 | 128;
  into[at++] = rest;
  return at;
}

/** A table that was sent with `WriteTable`. */
export interface TableMessage {
  /** As the user named it; any text a peer likes. */
  readonly id: string;
  /** The whole request: `ReadTables` answers with messages of the same shape. */
  readonly bytes: Uint8Array;
}

/**
 * Reads the request of `WriteTable`: `{1: TableId {1: id}, 2: DataframePart}`.
 *
 * @param request the message, which is kept as it is
 * @throws {InvalidMessage} if it is damaged, or names no table, or has no data
 */
export function readTable(request: Uint8Array): TableMessage {
  let id: string | undefined;
  let hasData = false;
  readMessage(request, "WriteTableRequest", {
    1: bytes((value, budget) =>
      readMessage(value, "TableId", { 1: string((text) => id = text) }, budget)
    ),
    2: bytes(() => hasData = true),
  });
  if (id === undefined) throw new InvalidMessage("A WriteTableRequest has no id");
  if (!hasData) throw new InvalidMessage("A WriteTableRequest has no data");
  return { id, bytes: request };
}
