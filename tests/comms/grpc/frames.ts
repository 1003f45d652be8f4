/** gRPC frames by hand. */
import { fixture } from "../../fixtures.ts";
import { concat } from "../../encoding/rrd_builder.ts";

/** A message with its head. */
export function frame(message: Uint8Array, flag = 0): Uint8Array<ArrayBuffer> {
  const head = new Uint8Array(5);
  head[0] = flag;
  new DataView(head.buffer).setUint32(1, message.length);
  return concat(head, message);
}

/** The messages of a recorded call, cut by the simplest code there is. */
export function framesOf(bytes: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
  const messages = [];
  for (let at = 0; at < bytes.length;) {
    const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at + 1);
    messages.push(bytes.slice(at + 5, at += 5 + length));
  }
  return messages;
}

/** SDKs there is a recorded `WriteMessages` call of. */
export const VERSIONS = ["0.23.4", "0.36.2", "0.41.0"] as const;

/** The body of that call. */
export function callBody(version: typeof VERSIONS[number]): Uint8Array<ArrayBuffer> {
  return fixture(`grpc/${version}-mixed.frames.bin`);
}

/** A length-delimited field of at most 127 bytes. */
export function field(number: number, ...parts: Uint8Array[]): Uint8Array<ArrayBuffer> {
  const value = concat(...parts);
  if (value.length > 127) throw new RangeError("too long for this");
  return concat(Uint8Array.of(number << 3 | 2, value.length), value);
}

/** A field of text. */
export function textField(number: number, text: string): Uint8Array<ArrayBuffer> {
  return field(number, new TextEncoder().encode(text));
}

/** A field of a small number. */
export function numberField(number: number, value: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(number << 3, value);
}
