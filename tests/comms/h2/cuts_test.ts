import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { joined, randomBytes } from "../../contract/streams.ts";
import { seeded } from "../../random.ts";
import { TestServer } from "./server.ts";
import { bytes, frame, hello, REQUEST } from "./wire.ts";

/** Bodies of three streams, mixed, in frames of all sizes, some padded, with PINGs in between. */
function input(random: () => number, bodies: readonly Uint8Array[]): Uint8Array {
  const parts = [hello(), ...bodies.map((_, i) => frame(1, 4, 2 * i + 1, REQUEST))];
  const at = bodies.map(() => 0);
  const open = new Set(bodies.keys());
  while (open.size > 0) {
    const i = [...open][Math.floor(random() * open.size)]!;
    const length = Math.floor(1 + random() ** 3 * 100_000);
    const part = bodies[i]!.subarray(at[i]!, at[i] = at[i]! + length);
    const isEnd = at[i]! >= bodies[i]!.length;
    if (isEnd) open.delete(i);
    const pad = random() < 0.3 ? Math.floor(random() * 256) : -1;
    const payload = pad < 0 ? part : bytes(pad, part, new Uint8Array(pad));
    parts.push(frame(0, (isEnd ? 1 : 0) | (pad < 0 ? 0 : 8), 2 * i + 1, payload));
    if (random() < 0.1) parts.push(frame(6, 0, 0, new Uint8Array(8)));
  }
  return joined(parts);
}

describe("a connection's bytes", () => {
  it("may be cut anywhere, and read where bodies want them", () => {
    for (let seed = 0; seed < 60; seed++) {
      const random = seeded(seed);
      const bodies = [0, 1, 2].map(() => randomBytes(Math.floor(random() ** 2 * 400_000), random));
      const all = input(random, bodies);
      const server = new TestServer();
      const place = new Uint8Array(1 << 20);
      for (let at = 0; at < all.length;) {
        for (const { stream } of server.told) {
          stream.sink!.readInto = (most) =>
            random() < 0.5 ? place.subarray(7, 7 + most) : undefined;
        }
        const room = server.h2.readInto();
        const wanted = Math.floor(1 + random() ** 4 * 300_000);
        const piece = all.slice(at, at + Math.min(wanted, room?.length ?? Infinity));
        room?.set(piece);
        server.h2.push(room?.subarray(0, piece.length) ?? piece);
        at += piece.length;
        server.sent();
      }
      const got = server.told.map(({ chunks }) => joined(chunks));
      assertEquals(
        got.map((body, i) => isSame(body, bodies[i]!)),
        [true, true, true],
        `seed ${seed}`,
      );
      assertEquals(server.events.map((events) => events.at(-1)), ["end", "end", "end"]);
    }
  });
});

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
