import { describe, it } from "node:test";
import { assert, assertEquals, assertLess } from "@std/assert";
import { ATTACKS, BEGINNING } from "./attacks.ts";
import { TestServer } from "./server.ts";
import { bytes, frame, frames, goAway, hello, REQUEST, u32 } from "./wire.ts";

const KiB = 1024;

/** Nobody needs so much to be found out. */
const MOST_BYTES = 13_000_000;

/** How much each may send, where that is less, in bytes. */
const BOUNDS: Readonly<Record<string, number>> = {
  "rapid reset": 30 * KiB,
  "resets that we are made to send": 30 * KiB,
  "a flood of CONTINUATION": 32 * KiB,
  "empty CONTINUATIONs": 16 * KiB,
  "an HPACK bomb": 160 * KiB,
  "large header fields": 2 * KiB * KiB,
  "streams that never end": 30 * KiB,
  "a flood of SETTINGS": 20 * KiB,
  "SETTINGS of 2,000 entries": 16 * KiB,
  "a flood of PING": 30 * KiB,
  "a flood of PRIORITY": 30 * KiB,
  "a flood of WINDOW_UPDATE": 30 * KiB,
  "unknown frames": 20 * KiB,
  "empty DATA": 20 * KiB,
  "DATA of one byte": 20 * KiB,
  "DATA of padding alone": 400 * KiB,
};

describe("an attack", () => {
  for (const [name, attack] of Object.entries(ATTACKS)) {
    for (const takes of [true, false]) {
      it(`by ${name} is ended, by one who ${takes ? "takes" : "does not take"} our answers`, () => {
        const server = new TestServer();
        server.onEnd = (stream) => stream.respond([[":status", "200"]], true);
        server.push(BEGINNING);
        let sent = 0;
        let answers: Uint8Array = new Uint8Array(0);
        for (const piece of attack()) {
          server.h2.push(piece);
          sent += piece.length;
          if (server.h2.isClosed) break;
          if (takes) answers = server.sent();
          // Then nothing more is read; the answers are all that it costs.
          if (server.h2.isCongested) break;
          assertLess(sent, MOST_BYTES);
        }
        assertLess(sent, BOUNDS[name]!);
        answers = server.sent();
        assertLess(answers.length, 128 * KiB);
        assertEquals(goAway(answers)?.code, "ENHANCE_YOUR_CALM");
        assert(server.h2.isClosed);
        assertEquals(server.h2.openStreams, 0);
      });
    }
  }

  it("of each kind has a bound here", () => {
    assertEquals(Object.keys(ATTACKS), Object.keys(BOUNDS));
    assertEquals(Object.keys(ATTACKS).length, 16);
  });

  for (
    const [name, opening, code] of [
      ["a window beyond its bound", frame(8, 0, 0, u32(2 ** 31 - 1)), "FLOW_CONTROL_ERROR"],
      ["a frame beyond its bound", bytes(255, 255, 255, 0, 0, u32(1)), "FRAME_SIZE_ERROR"],
    ] as const
  ) {
    it(`by ${name} is ended`, () => {
      assertEquals(goAway(new TestServer().push(hello(), opening))?.code, code);
    });
  }

  it("by header fields over 16 KiB ends its stream alone", () => {
    const server = new TestServer();
    const large = bytes(
      REQUEST,
      ...Array.from({ length: 30 }, () => bytes(0, 1, "a", 126, "b".repeat(126))),
    );
    const block = bytes(large, large, large);
    const sent = server.push(hello(), frame(1, 5, 1, block), frame(1, 5, 3, REQUEST));
    assertEquals(frames(sent).filter(({ type }) => type === 3).length, 1);
    assertEquals(server.events, [["end"]]);
  });
});

describe("an honest client", () => {
  const serving = () => {
    const server = new TestServer();
    server.onEnd = (stream) => stream.respond([[":status", "200"]], true);
    server.push(BEGINNING);
    return server;
  };

  it("may make as many calls as it likes, one after the other", () => {
    const server = serving();
    for (let id = 1; id < 40_000; id += 2) server.push(frame(1, 5, id, REQUEST));
    assertEquals([server.h2.error, server.told.length], [undefined, 20_000]);
  });

  it("may cancel calls, ping and send little, if not too often", () => {
    const server = serving();
    for (let i = 0; i < 5000; i++) {
      server.time += 100;
      const id = 2 * i + 1;
      server.push(frame(1, 4, id, REQUEST), frame(0, 0, id, bytes("x")), frame(3, 0, id, u32(8)));
      server.push(frame(6, 0, 0, new Uint8Array(8)), frame(4, 0, 0));
    }
    assertEquals(server.h2.error, undefined);
  });

  it("may raise its windows for each frame that it is sent", () => {
    const server = new TestServer();
    server.push(hello([4, 2 ** 30]), frame(1, 5, 1, REQUEST));
    const { stream } = server.told[0]!;
    stream.respond([[":status", "200"]]);
    for (let i = 0; i < 5000; i++) {
      stream.write(new Uint8Array(1000));
      server.sent();
      server.push(frame(8, 0, 0, u32(1000)), frame(8, 0, 1, u32(1000)));
    }
    assertEquals(server.h2.error, undefined);
  });

  it("may send tiny frames between large ones", () => {
    const server = serving();
    server.push(frame(1, 4, 1, REQUEST));
    for (let i = 0; i < 5000; i++) {
      server.push(frame(0, 0, 1, bytes("head!")), frame(0, 0, 1, new Uint8Array(1000)));
    }
    assertEquals(server.h2.error, undefined);
  });
});
