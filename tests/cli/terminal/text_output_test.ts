import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { TextOutput } from "../../../lib/cli/terminal/text_output.ts";

/** A stream that takes so many bytes at once, when it is told to. */
function stream() {
  let taken = "";
  let asked: { bytes: Uint8Array; took: (count: number) => void; fail: (why: Error) => void };
  let calls = 0;
  const output = new TextOutput((bytes) => {
    calls++;
    return new Promise((took, fail) => asked = { bytes, took, fail });
  });
  const turn = () => new Promise((resolve) => setTimeout(resolve));
  return {
    output,
    get taken() {
      return taken;
    },
    get calls() {
      return calls;
    },
    take: async (count = Infinity) => {
      await turn();
      const { bytes, took } = asked;
      const piece = bytes.subarray(0, count);
      taken += new TextDecoder().decode(piece);
      took(piece.length);
      await turn();
    },
    fail: async (why: Error) => {
      await turn();
      asked.fail(why);
      await turn();
    },
  };
}

describe("TextOutput", () => {
  it("is idle only when also what was written behind the end of a write is done", async () => {
    const taken: string[] = [];
    const output = new TextOutput(async (bytes) => {
      await Promise.resolve();
      taken.push(new TextDecoder().decode(bytes));
      return bytes.length;
    });
    // As the screen does, which hands over its next lines when the last are done.
    output.write("first").then(() => void output.write("last"));
    await output.idle();
    assertEquals(taken, ["first", "last"]);
  });

  it("goes on behind a text that is empty", async () => {
    const taken: number[] = [];
    const output = new TextOutput((bytes) =>
      Promise.resolve(taken.push(bytes.length) && bytes.length)
    );
    await output.write("");
    await output.write("more");
    assertEquals(taken, [4]);
  });

  it("writes one after the other, and what is left of a write again", async () => {
    const to = stream();
    const first = to.output.write("first ");
    void to.output.write("second ");
    void to.output.write("third");
    assertEquals([to.calls, to.output.isIdle], [1, false]);
    await to.take(3);
    await to.take();
    assertEquals([to.taken, to.output.isIdle], ["first ", false]);
    await to.take();
    assertEquals([to.taken, to.output.isIdle, to.calls], ["first second third", true, 3]);
    assertEquals(await first, true);
    await to.output.idle();
  });

  it("says what failed, and tries what comes later", async () => {
    const to = stream();
    const lost = to.output.write("lost");
    await to.fail(new Error("full"));
    assertEquals(await lost, false);
    assertEquals((to.output.failure as Error).message, "full");
    const kept = to.output.write("kept");
    await to.take();
    assertEquals([await kept, to.taken], [true, "kept"]);
  });
});
