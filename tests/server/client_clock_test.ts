import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { ClientClock } from "../../lib/server/client_clock.ts";

describe("ClientClock", () => {
  it("counts no time in which we hold back what a client sends", () => {
    let now = 0;
    const place = { packets: 0, place: { where: "packet", bytes: 10 } as const };
    const clock = new ClientClock(place, {
      handshakeTimeoutSec: 10,
      packetTimeoutSec: 60,
      idleTimeoutSec: Infinity,
      minPacketBytesPerSec: 1024,
      now: () => now,
    });
    clock.ask();
    now = 50;
    assertEquals(clock.silentMs, 50);
    clock.hold(true);
    now = 500;
    assertEquals([clock.silentMs, clock.waiting.waitedMs], [0, 50]);
    clock.hold(true);
    clock.hold(false);
    now = 530;
    assertEquals([clock.silentMs, clock.waiting.waitedMs], [30, 80]);
    clock.answer(1);
    assertEquals([clock.silentMs, clock.isAsking], [0, false]);
  });
});
