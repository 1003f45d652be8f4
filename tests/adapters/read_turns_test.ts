import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { ReadTurns } from "../../lib/adapters/_read_turns.ts";

const MIB = 1024 * 1024;

/** Turns whose clock is moved by hand, and the names of who may read, as they may. */
function setUp() {
  const ticks = new Set<() => void>();
  const turns = new ReadTurns((_ms, tick) => {
    ticks.add(tick);
    return () => ticks.delete(tick);
  });
  const may: string[] = [];
  const names = new Map<string, object>();
  const who = (name: string) => {
    let known = names.get(name);
    if (known === undefined) names.set(name, known = { name });
    return known;
  };
  return {
    may,
    ticks,
    async wait(...all: string[]) {
      for (const name of all) {
        const turn = turns.wait(who(name));
        if (turn === undefined) may.push(name);
        else turn.then(() => may.push(name));
      }
      await Promise.resolve();
    },
    count: (name: string, bytes: number) => turns.count(who(name), bytes),
    async leave(name: string) {
      turns.leave(who(name));
      await Promise.resolve();
    },
    async tick() {
      for (const tick of [...ticks]) tick();
      await Promise.resolve();
    },
  };
}

describe("ReadTurns", () => {
  it("lets one client alone read on and on", async () => {
    const { wait, count, may, ticks } = setUp();
    for (let i = 0; i < 100; i++) {
      await wait("a");
      count("a", MIB);
    }
    assertEquals(may.length, 100);
    assertEquals(ticks.size, 0);
  });

  it("gives each 4 MiB, in the order they came", async () => {
    const { wait, count, may, ticks } = setUp();
    await wait("a", "b", "c");
    for (let i = 0; i < 4; i++) {
      count("a", MIB);
      await wait("a");
    }
    assertEquals(may, ["a", "a", "a", "a", "b"]);
    count("b", 4 * MIB);
    await wait("b");
    assertEquals(may, ["a", "a", "a", "a", "b", "c"]);
    assertEquals(ticks.size, 1);
  });

  it("goes on to the next when a socket is empty, or closed", async () => {
    const { wait, leave, may, ticks } = setUp();
    await wait("a", "b", "c", "d");
    await leave("a");
    assertEquals(may, ["a", "b"]);
    // Not its turn yet: it waits no longer, and nobody else's turn ends.
    await leave("c");
    assertEquals(may, ["a", "b", "c"]);
    await leave("b");
    assertEquals(may, ["a", "b", "c", "d"]);
    assertEquals(ticks.size, 0);
    await leave("d");
    await wait("e");
    assertEquals(may.at(-1), "e");
  });

  it("takes the turn from one that does not use it", async () => {
    const { wait, count, may, tick, ticks } = setUp();
    await wait("a", "b");
    count("a", MIB);
    await tick();
    assertEquals(may, ["a"]);
    await tick();
    assertEquals(may, ["a", "b"]);
    assertEquals(ticks.size, 0);
    // Its read, still under way, ends later, and counts for nobody.
    count("a", 64 * MIB);
    await wait("b");
    assertEquals(may, ["a", "b", "b"]);
  });
});
