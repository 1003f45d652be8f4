/** HTTP/2 as the other side writes and reads it, independent of the code under test. */
import { ERROR } from "../../../lib/comms/h2/error_codes.ts";
import { joined } from "../../contract/streams.ts";

export const PREFACE: Uint8Array = new TextEncoder().encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");

/** A frame. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly id: number;
  readonly payload: Uint8Array<ArrayBuffer>;
}

/** Writes a frame. */
export function frame(
  type: number,
  flags: number,
  id: number,
  payload: Uint8Array = new Uint8Array(0),
): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(9 + payload.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, payload.length << 8);
  out[3] = type;
  out[4] = flags;
  view.setUint32(5, id);
  out.set(payload, 9);
  return out;
}

/** Reads whole frames. */
export function frames(bytes: Uint8Array): Frame[] {
  const all: Frame[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length;) {
    const length = view.getUint32(at) >>> 8;
    all.push({
      type: bytes[at + 3]!,
      flags: bytes[at + 4]!,
      id: view.getUint32(at + 5),
      payload: bytes.slice(at + 9, at + 9 + length),
    });
    at += 9 + length;
  }
  return all;
}

export function bytes(...parts: (number | Uint8Array | string)[]): Uint8Array<ArrayBuffer> {
  return joined(
    parts.map((part) =>
      typeof part === "number"
        ? Uint8Array.of(part)
        : typeof part === "string"
        ? new TextEncoder().encode(part)
        : part
    ),
  );
}

export function u32(value: number): Uint8Array {
  const out = new Uint8Array(4);
  new DataView(out.buffer).setUint32(0, value);
  return out;
}

export function hex(text: string): Uint8Array<ArrayBuffer> {
  const digits = text.replaceAll(/\s/g, "");
  return Uint8Array.from(digits.match(/../g) ?? [], (byte) => parseInt(byte, 16));
}

/** A literal field, not indexed, of up to 126 bytes each. */
export function literal(name: string, value: string): Uint8Array<ArrayBuffer> {
  return bytes(0, name.length, name, value.length, value);
}

/** The header fields of a call. */
export const REQUEST: Uint8Array = bytes(
  0x83, // POST
  0x86, // http
  bytes(0x04, 6, "/proxy"),
  literal("content-type", "application/grpc"),
  literal("te", "trailers"),
);

/** What a client sends first, with settings as it likes. */
export function hello(...settings: [number, number][]): Uint8Array {
  const payload = settings.map(([name, value]) => bytes(name >> 8, name & 255, u32(value)));
  return joined([PREFACE, frame(4, 0, 0, joined(payload))]);
}

/** The error code and the text of the GOAWAY among what was sent. */
export function goAway(sent: Uint8Array): { code: string; text: string } | undefined {
  const found = frames(sent).find(({ type }) => type === 7);
  if (found === undefined) return undefined;
  const code = new DataView(found.payload.buffer).getUint32(4);
  return { code: nameOf(code), text: new TextDecoder().decode(found.payload.subarray(8)) };
}

/** The error codes of the RST_STREAMs among what was sent, by stream. */
export function resets(sent: Uint8Array): Record<number, string> {
  return Object.fromEntries(
    frames(sent).filter(({ type }) => type === 3)
      .map(({ id, payload }) => [id, nameOf(new DataView(payload.buffer).getUint32(0))]),
  );
}

function nameOf(code: number): string {
  return Object.entries(ERROR).find(([, value]) => value === code)?.[0] ?? String(code);
}
