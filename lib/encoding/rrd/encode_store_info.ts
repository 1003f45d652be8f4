/**
 * Encodes announcements of stores that the SDK did not announce: without one a file does not open.
 *
 * @module
 */
import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { compressLz4 } from "../lz4/lz4_deflate.ts";
import type { RrdHeader } from "../rrd_header.ts";
import { isNewProtobuf } from "./same_encoding.ts";
import type { StoreInfo } from "../message_parts.ts";

/**
 * Encodes a `SetStoreInfo`.
 *
 * @param header of the file it goes to
 * @param info what to announce; the store source is kept only if it is nothing but a name
 * @returns the message with its own header
 */
export function encodeStoreInfo(header: RrdHeader, info: StoreInfo): Uint8Array {
  if (header.serializer === "protobuf") {
    const payload = protobufStoreInfo(header, info);
    const bytes = new Uint8Array(16 + payload.length);
    const view = new DataView(bytes.buffer);
    view.setBigUint64(0, 1n, true);
    view.setBigUint64(8, BigInt(payload.length), true);
    bytes.set(payload, 16);
    return bytes;
  }
  const payload = msgpackStoreInfo(header, info);
  const stored = header.compression === "lz4" ? compressLz4(payload) : payload;
  const bytes = new Uint8Array(8 + stored.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, stored.length, true);
  view.setUint32(4, payload.length, true);
  bytes.set(stored, 8);
  return bytes;
}

// ------------------------------------------------------------------------------------ protobuf

function protobufStoreInfo(header: RrdHeader, info: StoreInfo): Uint8Array {
  const isNew = isNewProtobuf(header);
  const kind = (info.storeId.kind === "Blueprint" ? 1 : 0) + (isNew ? 1 : 0);
  const text = (value: string) => new BinaryWriter().uint32(10).string(value).finish();
  const storeId = new BinaryWriter().uint32(8).int32(kind).uint32(18).string(info.storeId.id);
  if (isNew) storeId.uint32(26).bytes(text(info.applicationId));
  const started = new BinaryWriter().uint32(8).int64(info.started).finish();
  const source = new BinaryWriter().uint32(8).int32(0).finish();
  const rowId = new BinaryWriter().uint32(9).fixed64(info.started).uint32(17).fixed64(1n).finish();
  const message = new BinaryWriter().uint32(10).bytes(text(info.applicationId))
    .uint32(18).bytes(storeId.finish()).uint32(24).bool(info.isOfficialExample)
    .uint32(34).bytes(started).uint32(42).bytes(source).finish();
  return new BinaryWriter().uint32(10).bytes(rowId).uint32(18).bytes(message).finish();
}

// ------------------------------------------------------------------------------------- msgpack

type Value = string | bigint | boolean | null | { readonly [key: string]: Value };

function msgpackStoreInfo({ version }: RrdHeader, info: StoreInfo): Uint8Array {
  const { kind, id } = info.storeId;
  const source = info.storeSource.kind;
  const minor = version.major > 0 ? 99 : version.minor;
  return encode({
    SetStoreInfo: {
      row_id: { time_ns: info.started < 0n ? 0n : info.started, inc: 1n },
      info: {
        application_id: info.applicationId,
        store_id: { kind, id },
        ...(minor >= 15 ? { cloned_from: null } : {}),
        is_official_example: info.isOfficialExample,
        started: info.started,
        store_source: source === "CSdk" || source === "Viewer" ? source : "Unknown",
        ...(minor < 16 ? { store_kind: kind } : {}),
      },
    },
  });
}

function encode(value: Value): Uint8Array {
  const out: number[] = [];
  put(out, value);
  return Uint8Array.from(out);
}

function put(out: number[], value: Value): void {
  if (value === null) out.push(0xc0);
  else if (typeof value === "boolean") out.push(value ? 0xc3 : 0xc2);
  else if (typeof value === "bigint") putInteger(out, value);
  else if (typeof value === "string") {
    const bytes = new TextEncoder().encode(value);
    // In the shortest form, as Rerun writes it.
    if (bytes.length < 32) out.push(0xa0 | bytes.length);
    else if (bytes.length < 256) out.push(0xd9, bytes.length);
    else out.push(0xdb, ...u32(bytes.length));
    for (const byte of bytes) out.push(byte);
  } else {
    const entries = Object.entries(value);
    out.push(0x80 | entries.length);
    for (const [key, content] of entries) {
      put(out, key);
      put(out, content);
    }
  }
}

function putInteger(out: number[], value: bigint): void {
  if (value >= 0n && value < 128n) out.push(Number(value));
  else {
    const bytes = new Uint8Array(8);
    new DataView(bytes.buffer).setBigInt64(0, BigInt.asIntN(64, value));
    out.push(value < 0n ? 0xd3 : 0xcf, ...bytes);
  }
}

function u32(value: number): number[] {
  return [value >>> 24, (value >>> 16) & 255, (value >>> 8) & 255, value & 255];
}
