import { assert, assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "node:test";
import { AnswerBodies } from "../../../lib/viewers/serve/answer_bodies.ts";
import { httpApp } from "../../../lib/viewers/serve/http_app.ts";
import { TestClock } from "../clock.ts";
import { announcement, madeHub, smart } from "../messages.ts";

const MIB = 1024 * 1024;

function made() {
  const clock = new TestClock();
  const bodies = new AnswerBodies({ now: clock.now, every: clock.every });
  const readerOf = (bytes: number, isShared = false) => {
    const body = bodies.of(new Uint8Array(bytes), undefined, isShared);
    assert(body instanceof ReadableStream);
    return body.getReader();
  };
  return { clock, bodies, readerOf };
}

describe("answers that are made at once", () => {
  it("come whole, in pieces where they are long", async () => {
    const { clock, bodies } = made();
    const short = Uint8Array.of(1, 2);
    assertEquals(bodies.of(short, undefined), short);
    const long = Uint8Array.from({ length: 200_000 }, (_, i) => i);
    const body = bodies.of(long, undefined);
    assertEquals(new Uint8Array(await new Response(body).arrayBuffer()), long);
    assertEquals([bodies.bytes, clock.timers], [0, 0]);
  });

  it("are cut off where nothing is taken of them for a minute", async () => {
    const clock = new TestClock();
    const hub = madeHub();
    for (let i = 0; i < 1000; i++) hub.write([smart(announcement(`recording ${i}`))]);
    const app = httpApp({ hub, now: clock.now, every: clock.every });
    const { body } = await app.request("http://localhost/recordings");
    const reader = body!.getReader();
    await reader.read();
    clock.pass(59_000);
    await reader.read();
    clock.pass(61_000);
    await assertRejects(() => reader.read(), Error, "nothing for too long");
    assertEquals(clock.timers, 0);
  });

  it("wait for room where all together are too much, until who stands still for longest is cut off", async () => {
    const { clock, bodies, readerOf } = made();
    const [first, second] = [readerOf(30 * MIB), readerOf(31 * MIB)];
    let third: ReadableStreamDefaultReader<Uint8Array> | undefined;
    const waiting = bodies.whenRoom(() => Promise.resolve(third = readerOf(30 * MIB)));
    clock.pass(900);
    await first.read(); // so that the second has stood still for longer
    assertEquals(third, undefined);
    clock.pass(700);
    await waiting;
    await assertRejects(() => second.read(), Error, "nothing for too long");
    assertEquals(bodies.bytes, 60 * MIB);
    for (const reader of [first, third!]) {
      assertEquals((await reader.read()).done, false);
      await reader.cancel();
    }
    assertEquals([bodies.bytes, clock.timers], [0, 0]);
  });

  it("are made a few at once, in turn, and one that can't be made makes room", async () => {
    const { clock, bodies } = made();
    let making = 0;
    const ends: (() => void)[] = [];
    const all = Array.from({ length: 20 }, (_, i) =>
      bodies.whenRoom(async () => {
        making++;
        await new Promise<void>((resolve) => ends.push(resolve));
        if (i === 0) throw new Error("broken");
      }).catch(() => {}));
    assertEquals(making, 16);
    for (const end of ends.splice(0, 5)) end();
    await Promise.all(all.slice(0, 5));
    assertEquals([making, clock.timers], [20, 0]);
    for (const end of ends) end();
    await Promise.all(all);
  });

  it("stay where they are kept anyway", async () => {
    const { clock, bodies, readerOf } = made();
    const shared = Array.from({ length: 5 }, () => readerOf(30 * MIB, true));
    clock.pass(2000);
    await bodies.whenRoom(() => Promise.resolve());
    for (const reader of shared) {
      assertEquals((await reader.read()).done, false);
      await reader.cancel();
    }
  });
});
