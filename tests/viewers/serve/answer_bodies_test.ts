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

  it("go sooner where all together are too much, the one that has stood still for longest first", async () => {
    const { clock, bodies, readerOf } = made();
    const [first, second] = [readerOf(30 * MIB), readerOf(30 * MIB)];
    clock.pass(2000);
    await first.read(); // so that the second has stood still for longer
    const third = readerOf(30 * MIB);
    await assertRejects(() => second.read(), Error, "nothing for too long");
    assertEquals(bodies.bytes, 60 * MIB);
    for (const reader of [first, third]) {
      assertEquals((await reader.read()).done, false);
      await reader.cancel();
    }
    assertEquals([bodies.bytes, clock.timers], [0, 0]);
  });

  it("stay where they are taken, or are kept anyway", async () => {
    const { clock, bodies, readerOf } = made();
    const shared = Array.from({ length: 5 }, () => readerOf(30 * MIB, true));
    clock.pass(2000);
    const many = Array.from({ length: 3 }, () => readerOf(30 * MIB));
    clock.pass(900);
    many.push(readerOf(30 * MIB)); // too much, but nobody stands still
    for (const reader of [...shared, ...many]) assertEquals((await reader.read()).done, false);
    assertEquals(bodies.bytes, 120 * MIB);
    for (const reader of [...shared, ...many]) await reader.cancel();
  });
});
