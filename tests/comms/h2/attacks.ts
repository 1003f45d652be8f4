/** What hostile clients send: each is a beginning, and then pieces without end. */
import { joined } from "../../contract/streams.ts";
import { bytes, frame, hello, literal, REQUEST, u32 } from "./wire.ts";

/** Pieces that are sent one after the other until the server has had enough. */
export type Attack = () => Generator<Uint8Array>;

const EMPTY = new Uint8Array(0);

function* again(piece: Uint8Array): Generator<Uint8Array> {
  for (;;) yield piece;
}

/** For each stream these frames, in pieces of 100 streams. */
function* streams(make: (id: number) => Uint8Array[]): Generator<Uint8Array> {
  for (let id = 1;; id += 200) {
    yield joined(Array.from({ length: 100 }, (_, i) => make(id + 2 * i)).flat());
  }
}

function many(count: number, piece: Uint8Array): Uint8Array {
  return joined(Array.from({ length: count }, () => piece));
}

/** DATA of one stream, 500 frames at a time. */
function* data(payload: Uint8Array, flags = 0): Generator<Uint8Array> {
  yield frame(1, 4, 1, REQUEST);
  yield* again(many(500, frame(0, flags, 1, payload)));
}

/** A header block that never ends, in such frames. */
function* continued(part: Uint8Array, count: number): Generator<Uint8Array> {
  yield frame(1, 0, 1, REQUEST);
  yield* again(many(count, frame(9, 0, 1, part)));
}

function* bomb(): Generator<Uint8Array> {
  // A field of 3,900 bytes goes into the table, and is then named 16,000 times a block by one byte.
  const value = bytes(0x7f, 0x80 | (3900 - 127) & 127, 3900 - 127 >> 7, "z".repeat(3900));
  yield frame(1, 5, 1, bytes(REQUEST, 0x40, 1, "a", value));
  const block = bytes(REQUEST, new Uint8Array(16_000).fill(0xbe));
  for (let id = 3;; id += 2) yield frame(1, 5, id, block);
}

const SETTING = bytes(0, 4, u32(65_536));

/** The attacks, by name; each comes behind an honest beginning. */
export const ATTACKS: Readonly<Record<string, Attack>> = {
  "rapid reset": () => streams((id) => [frame(1, 4, id, REQUEST), frame(3, 0, id, u32(8))]),
  "resets that we are made to send": () =>
    streams((id) => [frame(1, 4, id, REQUEST), frame(8, 0, id, u32(0))]),
  "a flood of CONTINUATION": () => continued(many(60, literal("x".repeat(50), "y".repeat(100))), 1),
  "empty CONTINUATIONs": () => continued(EMPTY, 1000),
  "an HPACK bomb": bomb,
  "large header fields": () => {
    const large = bytes(REQUEST, ...Array(60).fill(literal("x".repeat(50), "y".repeat(100))));
    return streams((id) => [frame(1, 4, id, large)]);
  },
  "streams that never end": () => streams((id) => [frame(1, 4, id, REQUEST)]),
  "a flood of SETTINGS": () => again(many(200, frame(4, 0, 0, SETTING))),
  "SETTINGS of 2,000 entries": () => again(frame(4, 0, 0, many(2000, SETTING))),
  "a flood of PING": () => again(many(500, frame(6, 0, 0, bytes("12345678")))),
  "a flood of PRIORITY": () => again(many(500, frame(2, 0, 1, bytes(u32(0), 1)))),
  "a flood of WINDOW_UPDATE": () => again(many(500, frame(8, 0, 0, u32(1)))),
  "unknown frames": () => again(many(500, frame(77, 0, 0))),
  "empty DATA": () => data(EMPTY),
  "DATA of one byte": () => data(bytes(0)),
  "DATA of padding alone": () => data(bytes(255, new Uint8Array(255)), 8),
};

/** What an honest client begins with. */
export const BEGINNING: Uint8Array = hello();
