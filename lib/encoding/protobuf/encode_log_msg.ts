/**
 * Encodes log messages in protobuf, as in Rerun's gRPC and newer `.rrd` files.
 *
 * @module
 */
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { LogMsg } from "../log_msg.ts";
import type { StoreId, StoreInfo, StoreSource } from "../message_parts.ts";
import type { ArrowMsg } from "../arrow_msg.ts";
import type { ProtobufDialect } from "./protobuf_store_info.ts";
import { decodeRrdHeader, type RrdHeader, type RrdVersion } from "../rrd_header.ts";
import { isNewProtobuf } from "../rrd/same_encoding.ts";
import type { Tuid } from "../tuid.ts";

/** Bytes before a message in `.rrd`: its kind and its length, a u64 each. */
const HEAD_BYTES = 16;

/** Numbers that differ between the two definitions. */
const DIALECTS = {
  v0: {
    storeKinds: { Recording: 0, Blueprint: 1 },
    compressions: { off: 0, lz4: 1 },
    payload: 1000,
  },
  v1alpha1: {
    storeKinds: { Recording: 1, Blueprint: 2 },
    compressions: { off: 1, lz4: 2 },
    payload: 5,
  },
} as const;

const SOURCES = {
  Unknown: 0,
  CSdk: 1,
  PythonSdk: 2,
  RustSdk: 3,
  File: 4,
  Viewer: 5,
  Other: 6,
} as const;

const FILE_SOURCES = { Cli: 1, Uri: 2, DragAndDrop: 3, FileDialog: 4, Sdk: 5 } as const;

/**
 * The header of a stream of protobuf messages, as Rerun's own files have it: Arrow data may be in LZ4.
 *
 * @param version of the SDK
 */
export function protobufHeader({ major, minor, patch, meta }: RrdVersion): RrdHeader {
  return decodeRrdHeader(
    Uint8Array.of(0x52, 0x52, 0x46, 0x32, major, minor, patch, meta, 1, 2, 0, 0),
  );
}

/** Which of the protobuf definitions the messages under a header follow; none if they are msgpack. */
export function dialectOf(header: RrdHeader): ProtobufDialect | undefined {
  if (header.serializer !== "protobuf") return undefined;
  return isNewProtobuf(header) ? "v1alpha1" : "v0";
}

/**
 * Encodes a log message; one that has this form already is returned as it came.
 *
 * Arrow data is not changed: that of SDK 0.22 and older needs the bridge, too, for newer viewers.
 *
 * @param msg of any SDK
 * @param dialect which definitions to follow
 * @returns its kind, its length and the protobuf message, as `.rrd` has them; `undefined` for a message
 * of a kind that has no such form
 */
export function encodeLogMsg(msg: LogMsg, dialect: ProtobufDialect): Uint8Array | undefined {
  if (dialectOf(msg.encoded.header) === dialect) return msg.encoded.bytes;
  const writer = new BinaryWriter();
  switch (msg.kind) {
    case "SetStoreInfo": {
      const storeVersion = msg.info.storeVersion ?? msg.encoded.header.version;
      nested(writer, 1, () => tuid(writer, msg.rowId));
      nested(writer, 2, () => storeInfo(writer, { ...msg.info, storeVersion }, dialect));
      return withHead(1, writer.finish());
    }
    case "ArrowMsg":
      return withHead(2, arrowFields(writer, msg, dialect), msg.arrow.bytes);
    case "BlueprintActivationCommand":
      nested(writer, 1, () => storeId(writer, msg.blueprintId, dialect));
      number(writer, 2, msg.makeActive ? 1 : 0);
      number(writer, 3, msg.makeDefault ? 1 : 0);
      return withHead(3, writer.finish());
    case "UnknownMsg":
      return undefined;
  }
}

/**
 * Writes a message's kind and length before it.
 *
 * @param into where the 16 bytes go
 * @param at from where on
 * @param kind 1 SetStoreInfo, 2 ArrowMsg, 3 BlueprintActivationCommand
 * @param length of the message in bytes
 */
export function writeHead(into: Uint8Array, at: number, kind: number, length: number): void {
  // Faster than `fill` for so few.
  for (let i = at; i < at + HEAD_BYTES; i++) into[i] = 0;
  into[at] = kind;
  for (let i = 0, rest = length; rest > 0; rest = Math.floor(rest / 256)) into[at + 8 + i++] = rest;
}

function withHead(kind: number, ...parts: Uint8Array[]): Uint8Array {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(HEAD_BYTES + length);
  writeHead(bytes, 0, kind, length);
  let at = HEAD_BYTES;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}

/** All fields, up to the length of the payload, which comes last. */
function arrowFields(writer: BinaryWriter, msg: ArrowMsg, dialect: ProtobufDialect): Uint8Array {
  const { compressions, payload } = DIALECTS[dialect];
  const { bytes, compression, uncompressedSize } = msg.arrow;
  nested(writer, 1, () => storeId(writer, msg.storeId, dialect));
  number(writer, 2, compressions[compression]);
  number(writer, 3, uncompressedSize);
  number(writer, 4, 1); // Arrow IPC
  if (dialect === "v1alpha1") {
    const { chunkId, timepointMax, isStatic = timepointMax && timepointMax.length === 0 } = msg;
    if (chunkId !== undefined) nested(writer, 6, () => tuid(writer, chunkId));
    if (isStatic !== undefined) writer.tag(7, WireType.Varint).bool(isStatic);
  }
  writer.tag(payload, WireType.LengthDelimited).uint32(bytes.length);
  return writer.finish();
}

function storeInfo(writer: BinaryWriter, info: StoreInfo, dialect: ProtobufDialect): void {
  const { applicationId, isOfficialExample, started, storeSource, storeVersion } = info;
  nested(writer, 1, () => text(writer, 1, applicationId));
  // With the application, which newer readers look for there.
  nested(writer, 2, () => storeId(writer, { applicationId, ...info.storeId }, dialect));
  if (dialect === "v0") {
    number(writer, 3, isOfficialExample ? 1 : 0);
    nested(writer, 4, () => writer.tag(1, WireType.Varint).int64(started));
  }
  nested(writer, 5, () => source(writer, storeSource));
  if (storeVersion === undefined) return;
  const { major, minor, patch, meta } = storeVersion;
  nested(writer, 6, () => number(writer, 1, major | minor << 8 | patch << 16 | meta << 24));
}

/**
 * A store id, as the first field of a message has it.
 *
 * @param id of a recording or blueprint
 * @param dialect which definitions to follow
 */
export function encodeStoreId(id: StoreId, dialect: ProtobufDialect): Uint8Array {
  const writer = new BinaryWriter();
  nested(writer, 1, () => storeId(writer, id, dialect));
  return writer.finish();
}

function storeId(writer: BinaryWriter, id: StoreId, dialect: ProtobufDialect): void {
  number(writer, 1, DIALECTS[dialect].storeKinds[id.kind]);
  text(writer, 2, id.id);
  const { applicationId } = id;
  if (dialect === "v0" || applicationId === undefined) return;
  nested(writer, 3, () => text(writer, 1, applicationId));
}

function source(writer: BinaryWriter, from: StoreSource): void {
  number(writer, 1, SOURCES[from.kind]);
  switch (from.kind) {
    case "PythonSdk":
      return extra(writer, (inner) => {
        [from.major, from.minor, from.patch].forEach((part, i) => number(inner, i + 1, part));
        text(inner, 4, from.suffix);
      });
    case "RustSdk":
      return extra(writer, (inner) => {
        text(inner, 1, from.rustcVersion);
        text(inner, 2, from.llvmVersion);
      });
    case "File":
      return extra(writer, (inner) => number(inner, 1, FILE_SOURCES[from.fileSource]));
    case "Other":
      return extra(writer, (inner) => inner.raw(new TextEncoder().encode(from.name)));
  }
}

/** Writes what accompanies the number of a source: a message nested in a bytes field. */
function extra(writer: BinaryWriter, write: (writer: BinaryWriter) => void): void {
  const inner = new BinaryWriter();
  write(inner);
  nested(writer, 2, () => writer.tag(1, WireType.LengthDelimited).bytes(inner.finish()));
}

function tuid(writer: BinaryWriter, { timeNs, inc }: Tuid): void {
  writer.tag(1, WireType.Bit64).fixed64(timeNs).tag(2, WireType.Bit64).fixed64(inc);
}

/** Writes a number; zeros are left out, as by Rerun's encoder. */
function number(writer: BinaryWriter, field: number, value: number): void {
  if (value !== 0) writer.tag(field, WireType.Varint).int64(value);
}

function text(writer: BinaryWriter, field: number, value: string): void {
  if (value !== "") writer.tag(field, WireType.LengthDelimited).string(value.toWellFormed());
}

function nested(writer: BinaryWriter, field: number, write: () => void): void {
  writer.tag(field, WireType.LengthDelimited).fork();
  write();
  writer.join();
}
