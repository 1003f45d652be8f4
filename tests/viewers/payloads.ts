import { assert, assertEquals } from "@std/assert";

/** Payloads of WebSocket frames, which must be whole, binary and a server's. */
export function payloads(bytes: Uint8Array): Uint8Array[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const found: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    assertEquals(bytes[at], 0x82);
    const short = bytes[at + 1]!;
    const [head, length] = short === 127
      ? [10, Number(view.getBigUint64(at + 2))]
      : short === 126
      ? [4, view.getUint16(at + 2)]
      : [2, short];
    assert(at + head + length <= bytes.length);
    found.push(bytes.slice(at + head, at += head + length));
  }
  return found;
}
