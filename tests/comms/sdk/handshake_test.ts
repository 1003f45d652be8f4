import { describe, it } from "node:test";
import { assertEquals, assertInstanceOf } from "@std/assert";
import { PacketReader } from "../../../lib/comms/sdk/packet_reader.ts";
import { ClientIsNewer, TruncatedHandshake, UnknownClient } from "../../../lib/base/errors.ts";
import { concat } from "../../encoding/rrd_builder.ts";

const ascii = (text: string) => new TextEncoder().encode(text);
const packet = Uint8Array.of(2, 0, 0, 0, 7, 8);

/** Reads the pieces; gives versions seen, packets and the first error, the one of the end included. */
function read(...pieces: Uint8Array[]) {
  const versions: number[] = [];
  const reader = new PacketReader({ onHandshake: (version) => versions.push(version) });
  const results = [...pieces.map((piece) => reader.push(piece)), reader.finish()];
  return {
    versions,
    packets: results.flatMap(({ items }) => items),
    error: results.find(({ error }) => error !== undefined)?.error,
  };
}

const split = (bytes: Uint8Array) => Array.from(bytes, (byte) => Uint8Array.of(byte));

describe("handshake", () => {
  it("version 1, whole and byte by byte, with a packet right behind it", () => {
    const bytes = concat(Uint8Array.of(1, 0), ascii("rerun"), packet);
    const expected = { versions: [1], packets: [Uint8Array.of(7, 8)], error: undefined };
    assertEquals(read(bytes), expected);
    assertEquals(read(...split(bytes)), expected);
  });

  it("version 0 has no header: packets follow at once", () => {
    const bytes = concat(Uint8Array.of(0, 0), packet);
    const expected = { versions: [0], packets: [Uint8Array.of(7, 8)], error: undefined };
    assertEquals(read(bytes), expected);
    assertEquals(read(...split(bytes)), expected);
  });

  it("a newer version is told of, then refused", () => {
    const { versions, error } = read(concat(Uint8Array.of(2, 0), ascii("rerun"), packet));
    assertEquals(versions, [2]);
    assertInstanceOf(error, ClientIsNewer);
    assertEquals(
      error.message,
      "SDK client is using a newer protocol version (2) than the SDK server (1)",
    );
    assertEquals([error.clientVersion, error.serverVersion], [2, 1]);
  });

  it("anything else is an unknown client, whatever its version", () => {
    for (
      const bytes of [ascii("GET / HTTP/1.1\r\n"), concat(Uint8Array.of(1, 0), ascii("rerum"))]
    ) {
      const { versions, packets, error } = read(bytes);
      assertEquals([versions, packets], [[], []]);
      assertInstanceOf(error, UnknownClient);
    }
  });

  it("an end inside it is told with the bytes that came, one before it is not", () => {
    assertEquals(read(), { versions: [], packets: [], error: undefined });
    const hello = concat(Uint8Array.of(1, 0), ascii("rerun"));
    for (let n = 1; n < hello.length; n++) {
      const { error } = read(hello.subarray(0, n));
      assertInstanceOf(error, TruncatedHandshake);
      assertEquals(error.receivedBytes, n);
    }
    assertEquals(read(hello).error, undefined);
  });

  it("nothing is read behind an error", () => {
    const { packets } = read(ascii("GET / HTTP"), packet, packet);
    assertEquals(packets, []);
  });
});
