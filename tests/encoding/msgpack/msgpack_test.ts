import { decode, encode } from "@msgpack/msgpack";
import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { MsgpackReader, type MsgpackValue } from "../../../lib/encoding/msgpack/msgpack.ts";
import { InvalidMessage } from "../../../lib/base/errors.ts";
import { seeded } from "../../random.ts";
import { cases } from "../../counts.ts";

const read = (bytes: Uint8Array) => new MsgpackReader(bytes, 0, bytes.length).value();

/** What the reader gives, in the form of the reference library. */
function plain(value: MsgpackValue): unknown {
  if (value instanceof Map) {
    return Object.fromEntries(Array.from(value, ([key, entry]) => [String(key), plain(entry)]));
  }
  if (Array.isArray(value)) return value.map(plain);
  return value;
}

/** A random value that the reference can write. */
function randomValue(random: () => number, depth: number): unknown {
  const pick = Math.floor(random() * (depth > 3 ? 8 : 10));
  const length = Math.floor(random() ** 3 * 400);
  switch (pick) {
    case 0:
      return null;
    case 1:
      return random() < 0.5;
    case 2:
      return Math.floor((random() - 0.5) * 2 ** (random() * 33));
    case 3:
      return (BigInt(Math.floor(random() * 2 ** 52)) << 11n) * (random() < 0.5 ? 1n : -1n);
    case 4:
      return random() * 1e9;
    case 5:
      return "aé漢🤖 ".repeat(length / 5);
    case 6:
      return "x".repeat(length);
    case 7:
      return Uint8Array.from({ length }, () => random() * 256);
    case 8:
      return Array.from({ length: length % 40 }, () => randomValue(random, depth + 1));
    default:
      return Object.fromEntries(
        Array.from({ length: length % 40 }, (_, i) => [`k${i}`, randomValue(random, depth + 1)]),
      );
  }
}

describe("MsgpackReader", () => {
  it("reads what the reference library writes, as that reads it", () => {
    for (let seed = 1; seed <= 500; seed++) {
      const bytes = encode(randomValue(seeded(seed), 0), { useBigInt64: true });
      const reference = decode(bytes, { useBigInt64: true });
      assertEquals(plain(read(bytes)), reference, `seed ${seed}`);
    }
  });

  it("says of damaged bytes InvalidMessage or what the reference says, nothing else", () => {
    let refused = 0;
    const many = cases(5000, 1000);
    for (let seed = 1; seed <= many; seed++) {
      const random = seeded(seed);
      const bytes = encode(randomValue(random, 0), { useBigInt64: true }).slice();
      bytes[Math.floor(random() * bytes.length)] = random() * 256;
      const cut = bytes.subarray(0, 1 + Math.floor(random() * bytes.length));
      try {
        read(cut);
      } catch (error) {
        if (!(error instanceof InvalidMessage)) throw new Error(`seed ${seed}`, { cause: error });
        refused++;
      }
    }
    assert(refused > many / 10, `only ${refused} refused`);
  });

  it("stays within 16 levels: 16 MiB of nested arrays are refused at once", () => {
    const bomb = new Uint8Array(16 << 20).fill(0x91);
    const error = assertThrows(() => read(bomb), InvalidMessage);
    assertEquals(
      error.message,
      "17 values of msgpack in one another, over the limit of 16 (--max-depth, option maxDepth)",
    );
    const deepest = Uint8Array.of(...new Array(16).fill(0x91), 0xc0);
    assertEquals(JSON.stringify(read(deepest)), "[".repeat(16) + "null" + "]".repeat(16));
  });

  it("takes no memory on a count's or a length's word", () => {
    for (
      const [bytes, message] of [
        [
          [0xdd, 0xff, 0xff, 0xff, 0xff],
          "4294967295 entries in a message, over the limit of 65536",
        ],
        [[0xdf, 0x00, 0x01, 0x00, 0x01], "65537 entries in a message, over the limit of 65536"],
        [
          [0xdb, 0x7f, 0xff, 0xff, 0xff],
          "2147483647 bytes of text in a message, over the limit of 1048576",
        ],
        [
          [0xc6, 0x00, 0x10, 0x00, 0x01],
          "1048577 bytes of text in a message, over the limit of 1048576",
        ],
        [[0xdd, 0x00, 0x00, 0xff, 0xff], "it ends inside a value"],
        [[0xd9, 0x05, 0x61], "it ends inside a value"],
      ] as const
    ) {
      assertThrows(() => read(Uint8Array.from(bytes)), InvalidMessage, message);
    }
  });

  it("refuses text that is not UTF-8, and extensions", () => {
    assertThrows(() => read(Uint8Array.of(0xa1, 0xff)), InvalidMessage, "not UTF-8");
    assertThrows(
      () => read(Uint8Array.of(0xd9, 40, ...new Array(40).fill(0xc0))),
      InvalidMessage,
      "not UTF-8",
    );
    assertThrows(() => read(Uint8Array.of(0xd4, 1, 1)), InvalidMessage, "not 0xd4");
  });

  it("reads typed values, and says what it expected", () => {
    const reader = (...bytes: number[]) =>
      new MsgpackReader(Uint8Array.from(bytes), 0, bytes.length);
    assertEquals(reader(0x82).mapLength(), 2);
    assertEquals(reader(0xde, 1, 2).mapLength(), 258);
    assertEquals(reader(0x93).arrayLength(), 3);
    assertEquals(reader(0xdc, 1, 2).arrayLength(), 258);
    assertEquals(reader(0xa2, 0x68, 0x69).string(), "hi");
    assertEquals(reader(0xc5, 0, 2, 7, 8).binary(), Uint8Array.of(7, 8));
    assertEquals(reader(0xcf, ...new Array(8).fill(255)).bigint(), 2n ** 64n - 1n);
    assertEquals(reader(0xff).bigint(), -1n);
    assertEquals(reader(0xc0).nil(), true);
    assertEquals(reader(0x01).nil(), false);
    assertThrows(() => reader(0x01).mapLength(), InvalidMessage, "a map is expected, not 0x1");
    assertThrows(() => reader(0xc0).arrayLength(), InvalidMessage, "an array is expected");
    assertThrows(() => reader(0xc0).string(), InvalidMessage, "a string is expected");
    assertThrows(() => reader(0xc0).binary(), InvalidMessage, "a binary is expected");
    assertThrows(
      () => reader(0xcb, 0, 0, 0, 0, 0, 0, 0, 0x1).bigint(),
      InvalidMessage,
      "an integer",
    );
    assertThrows(() => reader().string(), InvalidMessage, "it ends inside a value, at byte 0");
  });
});
