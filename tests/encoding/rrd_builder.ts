/** Makes RRD streams by hand, for tests of what no real SDK sends. */
import { encode } from "@msgpack/msgpack";

/** Joins bytes. */
export function concat(...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

/** What an SDK from 0.16 on says first. */
export const HELLO: Uint8Array<ArrayBuffer> = Uint8Array.of(
  ...[1, 0],
  ...new TextEncoder().encode("rerun"),
);

/** A packet with its length. */
export function framed(content: Uint8Array): Uint8Array<ArrayBuffer> {
  const length = new Uint8Array(4);
  new DataView(length.buffer).setUint32(0, content.length, true);
  return concat(length, content);
}

/** An RRD header of 0.22.1, msgpack, not compressed, unless told otherwise. */
export function rrdHeader(
  { version = [0, 22, 1, 0], compression = 0, serializer = 1 }: {
    version?: [number, number, number, number];
    compression?: number;
    serializer?: number;
  } = {},
): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(0x52, 0x52, 0x46, 0x32, ...version, compression, serializer, 0, 0);
}

/** A msgpack message with its two lengths. */
export function rrdMessage(payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const lengths = new Uint8Array(8);
  const view = new DataView(lengths.buffer);
  view.setUint32(0, payload.length, true);
  view.setUint32(4, payload.length, true);
  return concat(lengths, payload);
}

/** The fields of a `SetStoreInfo`, as SDK 0.22 sends them. */
export function storeInfoFields(): Record<string, unknown> {
  return {
    application_id: "app",
    store_id: { kind: "Recording", id: "rec" },
    cloned_from: null,
    is_official_example: false,
    started: 1_700_000_000_000_000_000n,
    store_source: { PythonSdk: { major: 3, minor: 11, patch: 7, suffix: "" } },
  };
}

/** A msgpack `SetStoreInfo`. */
export function setStoreInfo(info: Record<string, unknown> = storeInfoFields()): Uint8Array {
  const row_id = { time_ns: 1n, inc: 2n };
  return encode({ SetStoreInfo: { row_id, info } }, { useBigInt64: true });
}

/** Msgpack of maps whose keys may be maps: entries in arrays; all else as the library writes it. */
export class Entries {
  constructor(readonly entries: [unknown, unknown][]) {}
}

/** Encodes with {@linkcode Entries} as maps. */
export function encodeMsgpack(value: unknown): Uint8Array {
  if (value instanceof Entries) {
    const parts = value.entries.flatMap((entry) => entry.map(encodeMsgpack));
    return concat(Uint8Array.of(0xde, value.entries.length >> 8, value.entries.length), ...parts);
  }
  if (Array.isArray(value)) {
    return concat(
      Uint8Array.of(0xdc, value.length >> 8, value.length),
      ...value.map(encodeMsgpack),
    );
  }
  if (value !== null && typeof value === "object" && !(value instanceof Uint8Array)) {
    return encodeMsgpack(new Entries(Object.entries(value)));
  }
  return encode(value, { useBigInt64: true });
}

/** A msgpack `ArrowMsg` with the given time point. */
export function arrowMsg(
  timepoint: unknown,
  { id = "rec", kind = "Recording", data = 10, inc = 4 as number | bigint } = {},
): Uint8Array {
  const store = { kind, id };
  const bytes = new Uint8Array(data).fill(7);
  return encodeMsgpack({ ArrowMsg: [store, [{ time_ns: 3, inc }, timepoint, bytes]] });
}

/** A msgpack `BlueprintActivationCommand`. */
export function activation(id: string, make_active = true, make_default = true): Uint8Array {
  const blueprint_id = { kind: "Blueprint", id };
  return encode({ BlueprintActivationCommand: { blueprint_id, make_active, make_default } });
}
