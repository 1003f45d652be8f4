import { assertEquals, assertRejects } from "@std/assert";
import { describe, it } from "node:test";
import { ByteGate } from "../../lib/memory/byte_gate.ts";

/** Gives a turn to all that waits for nothing else. */
function settled(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

describe("ByteGate", () => {
  it("lets pass what fits, in turn, and what is larger alone", async () => {
    const gate = new ByteGate(10);
    const never = new AbortController().signal;
    const order: string[] = [];
    const ends: (() => void)[] = [];
    const pass = (name: string, bytes: number) =>
      gate.through(bytes, never, () => {
        order.push(name);
        return new Promise<void>((resolve) => ends.push(resolve));
      });
    const passes = [pass("a", 6), pass("b", 4), pass("large", 25), pass("c", 1)];
    await settled();
    assertEquals([order, gate.bytes], [["a", "b"], 10]);
    ends[0]!();
    await passes[0];
    assertEquals(order, ["a", "b"], "c does not overtake");
    ends[1]!();
    await passes[1];
    await settled();
    assertEquals([order, gate.bytes], [["a", "b", "large"], 25]);
    ends[2]!();
    await passes[2];
    await settled();
    ends[3]!();
    await passes[3];
    assertEquals(gate.bytes, 0);
  });

  it("lets go of who does not want to wait any more, and of failures", async () => {
    const gate = new ByteGate(1);
    const stop = new AbortController();
    const first = gate.through(1, stop.signal, () => Promise.reject(new Error("cut")));
    const second = gate.through(1, stop.signal, () => Promise.resolve());
    const third = assertRejects(() => gate.through(1, stop.signal, () => Promise.resolve()), Error);
    const stopped = assertRejects(() => second, Error);
    stop.abort(new Error("enough"));
    await Promise.all([assertRejects(() => first, Error, "cut"), stopped, third]);
    assertEquals(gate.bytes, 0);
  });

  it("lets in who waited behind one that does not wait any more", async () => {
    const gate = new ByteGate(10);
    const never = new AbortController().signal;
    const stop = new AbortController();
    const end = Promise.withResolvers<void>();
    const first = gate.through(6, never, () => end.promise);
    const large = assertRejects(
      () => gate.through(25, stop.signal, () => Promise.resolve()),
      Error,
    );
    const same = assertRejects(() => gate.through(1, stop.signal, () => Promise.resolve()), Error);
    let isIn = false;
    const small = gate.through(4, never, () => Promise.resolve(void (isIn = true)));
    await settled();
    assertEquals(isIn, false);
    stop.abort(new Error("it was removed"));
    await settled();
    assertEquals([isIn, gate.bytes], [true, 6]);
    end.resolve();
    await Promise.all([first, large, same, small]);
    assertEquals(gate.bytes, 0);
  });
});
