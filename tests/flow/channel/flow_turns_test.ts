import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { FlowTurns, turnsFor } from "../../../lib/flow/channel/flow_turns.ts";

const MIB = 2 ** 20;

/** Turns whose clock only the test moves, and the order in which clients get one. */
function turnsOf(count: number) {
  let tick: (() => void) | undefined;
  const turns = new FlowTurns<string>({
    count,
    delay: () => new Promise<void>((resolve) => tick = resolve),
  });
  const had: string[] = [];
  const settle = () => new Promise((resolve) => setTimeout(resolve, 0));
  return {
    turns,
    had,
    settle,
    ask(who: string) {
      const wait = turns.acquire(who);
      if (wait === undefined) had.push(who);
      else wait.then(() => had.push(who));
    },
    /** Lets 2 ms pass; says whether anybody looks at them. */
    async pass() {
      const isLooked = tick !== undefined;
      tick?.();
      tick = undefined;
      await settle();
      return isLooked;
    },
  };
}

describe("FlowTurns", () => {
  it("lets a few read on, then whoever came first", async () => {
    const { turns, had, ask, settle } = turnsOf(2);
    for (const who of "abcd") ask(who);
    await settle();
    assertEquals([had, turns.waiting], [["a", "b"], 2]);
    turns.answered("b", 100, false);
    await settle();
    assertEquals(had, ["a", "b", "c"]);
    turns.release("a");
    turns.release("nobody");
    await settle();
    assertEquals([had, turns.waiting], [["a", "b", "c", "d"], 0]);
  });

  it("goes on with the same client while its socket holds more, up to 1 MiB where others wait", async () => {
    const { turns, had, ask, settle } = turnsOf(1);
    ask("a");
    for (let i = 0; i < 8; i++) turns.answered("a", MIB / 4, true);
    assertEquals(turns.goOn("a"), undefined);
    ask("b");
    let again = false;
    turns.goOn("a")!.then(() => again = true);
    await settle();
    assertEquals([had, again], [["a", "b"], false]);
    turns.answered("b", 10, false);
    await settle();
    assertEquals(again, true);
  });

  it("takes the turn from whom nothing comes, not from who waits for the receiver", async () => {
    const { turns, had, ask, pass } = turnsOf(2);
    ask("stalled");
    ask("paused");
    turns.asks("stalled");
    ask("next");
    ask("last");
    assertEquals([await pass(), had], [true, ["stalled", "paused"]]);
    await pass();
    assertEquals(had, ["stalled", "paused", "next"]);
    // Nobody is asked for bytes, so that there is nothing to look at.
    await pass();
    assertEquals(await pass(), false);
    assertEquals(had, ["stalled", "paused", "next"]);
    turns.asks("paused");
    await pass();
    await pass();
    assertEquals(had, ["stalled", "paused", "next", "last"]);
  });

  it("lets nobody more in while 256 wait, but one for each that goes on", async () => {
    const { turns, ask, settle } = turnsOf(1);
    for (let i = 0; i < 256; i++) ask(`${i}`);
    assertEquals(turns.pace(), undefined);
    ask("256");
    let isIn = false;
    turns.pace()!.then(() => isIn = true);
    await settle();
    assertEquals(isIn, false);
    turns.release("0");
    await settle();
    assertEquals(isIn, true);
  });

  it("lets all go on once it is open", async () => {
    const { turns, had, ask, settle } = turnsOf(1);
    for (const who of "abc") ask(who);
    turns.open();
    ask("d");
    await settle();
    assertEquals(had.toSorted(), ["a", "b", "c", "d"]);
  });
});

describe("turnsFor", () => {
  it("takes a quarter of the channel at most, and at least one turn", () => {
    assertEquals([1, 8 * MIB, 64 * MIB, 256 * MIB].map(turnsFor), [1, 2, 16, 16]);
  });
});
