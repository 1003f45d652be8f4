import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { H2Error } from "../../../lib/comms/h2/error_codes.ts";
import { FrameReader } from "../../../lib/comms/h2/frame_reader.ts";
import { joined } from "../../contract/streams.ts";
import { randomPieces, seeded } from "../../random.ts";
import { bytes, frame, hello, PREFACE, u32 } from "./wire.ts";

const LIMITS = { maxFrameBytes: 1 << 20, maxHeaderBytes: 16 * 1024 };
const SETTINGS = frame(4, 0, 0);

/** Reads, and says what was found; bodies as one text, however they came. */
class Reading {
  readonly found: string[] = [];
  #body = "";
  readonly reader = new FrameReader(
    {
      head: () => {},
      beginData: (flags, id, length, padding) => {
        this.found.push(`DATA ${flags} of ${id}: ${length}, padding ${padding}`);
        this.#body = "";
      },
      data: (part) => void (this.#body += new TextDecoder().decode(part)),
      endData: () => void this.found.push(`= ${this.#body}`),
      frame: (type, flags, id, payload) =>
        void this.found.push(`${type} ${flags} of ${id}: ${new TextDecoder().decode(payload)}`),
    },
    LIMITS,
    true,
  );
}

const INPUT = joined([
  hello(),
  frame(0, 0, 1, bytes("hello")),
  frame(0, 9, 1, bytes(3, "padded", new Uint8Array(3))),
  frame(0, 8, 1, bytes(0, "p")),
  frame(0, 8, 1, bytes(2, 0, 0)),
  frame(0, 0, 3),
  frame(77, 5, 1, bytes("nobody knows it")),
  frame(88, 5, 1),
  frame(6, 0, 0, bytes("12345678")),
  frame(7, 0, 0, bytes(u32(5), u32(0), "x".repeat(500))),
  frame(8, 0, 3, u32(7)),
]);

const FOUND = [
  "4 0 of 0: ",
  "DATA 0 of 1: 5, padding 0",
  "= hello",
  "DATA 9 of 1: 10, padding 4",
  "= padded",
  "DATA 8 of 1: 2, padding 1",
  "= p",
  "DATA 8 of 1: 3, padding 3",
  "= ",
  "DATA 0 of 3: 0, padding 0",
  "= ",
  "6 0 of 0: 12345678",
  `7 0 of 0: \0\0\0\x05\0\0\0\0${"x".repeat(120)}`,
  "8 0 of 3: \0\0\0\x07",
];

describe("FrameReader", () => {
  it("cuts bytes into frames", () => {
    const reading = new Reading();
    reading.reader.push(INPUT);
    assertEquals(reading.found, FOUND);
  });

  it("does so byte by byte, and in any pieces", () => {
    const slow = new Reading();
    for (const byte of INPUT) slow.reader.push(Uint8Array.of(byte));
    assertEquals(slow.found, FOUND);
    const random = seeded(3);
    for (let i = 0; i < 50; i++) {
      const reading = new Reading();
      for (const piece of randomPieces(INPUT, () => random() ** 3)) reading.reader.push(piece);
      assertEquals(reading.found, FOUND);
    }
  });

  it("knows how many bytes of a body are sure to come", () => {
    const { reader } = new Reading();
    reader.push(hello());
    assertEquals(reader.dataLeft, 0);
    reader.push(frame(0, 0, 1, new Uint8Array(1000)).subarray(0, 109));
    assertEquals(reader.dataLeft, 900);
    reader.push(new Uint8Array(900));
    assertEquals(reader.dataLeft, 0);
    reader.push(frame(0, 8, 1, bytes(200, new Uint8Array(800))).subarray(0, 20));
    assertEquals(reader.dataLeft, 590);
    reader.push(new Uint8Array(600));
    assertEquals(reader.dataLeft, 0);
  });

  it("leaves alone what comes after it was stopped", () => {
    const reading = new Reading();
    reading.reader.push(hello());
    reading.reader.stop();
    reading.reader.push(INPUT);
    assertEquals(reading.found, ["4 0 of 0: "]);
  });

  const wrong: Record<string, [Uint8Array[], string]> = {
    "what does not begin as HTTP/2": [[bytes("PRI * HTTP/1.1")], "PROTOCOL_ERROR"],
    "another frame than SETTINGS first": [[PREFACE, frame(6, 0, 0, u32(1))], "PROTOCOL_ERROR"],
    "an ACK first": [[PREFACE, frame(4, 1, 0)], "PROTOCOL_ERROR"],
    "a frame over the limit": [[hello(), bytes(16, 0, 1, 0, 0, u32(1))], "FRAME_SIZE_ERROR"],
    "an unknown frame over the limit": [
      [hello(), bytes(16, 0, 1, 99, 0, u32(1))],
      "FRAME_SIZE_ERROR",
    ],
    "HEADERS over their limit": [[hello(), bytes(0, 66, 0, 1, 0, u32(1))], "ENHANCE_YOUR_CALM"],
    "33 settings": [[PREFACE, bytes(0, 0, 198, 4, 0, u32(0))], "ENHANCE_YOUR_CALM"],
    "a PING of 9 bytes": [[hello(), bytes(0, 0, 9, 6, 0, u32(0))], "FRAME_SIZE_ERROR"],
    "a RST_STREAM of 1 MiB": [[hello(), bytes(16, 0, 0, 3, 0, u32(1))], "FRAME_SIZE_ERROR"],
    "PUSH_PROMISE": [[hello(), frame(5, 0, 1, u32(2))], "PROTOCOL_ERROR"],
    "padding without its length": [[hello(), frame(0, 8, 1)], "FRAME_SIZE_ERROR"],
    "padding as long as the frame": [[hello(), frame(0, 8, 1, bytes(3, 0, 0))], "PROTOCOL_ERROR"],
  };
  for (const [name, [parts, code]] of Object.entries(wrong)) {
    it(`refuses ${name}, before it is there`, () => {
      const { reader } = new Reading();
      assertThrows(() => reader.push(joined(parts)), H2Error, code);
    });
  }

  it("begins with SETTINGS where the peer is a server", () => {
    const types: number[] = [];
    const none = () => {};
    const handler = { head: (type: number) => void types.push(type), beginData: none, data: none };
    new FrameReader({ ...handler, endData: none, frame: none }, LIMITS, false).push(SETTINGS);
    assertEquals(types, [4]);
  });
});
