import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { ReadTurns, type TurnTaker } from "../../../lib/adapters/tcp/_read_turns.ts";

const MIB = 1024 * 1024;

/** Turns whose clock is moved by hand, and the names of who may read, as they may. */
function setUp() {
  const ticks = new Set<() => void>();
  const turns = new ReadTurns((_ms, tick) => {
    ticks.add(tick);
    return () => ticks.delete(tick);
  });
  const may: string[] = [];
  const names = new Map<string, TurnTaker>();
  const who = (name: string) => {
    let known = names.get(name);
    if (known === undefined) names.set(name, known = { turnsWithoutWait: 0 });
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
    took: (name: string, bytes: number) => turns.took(who(name), bytes, false),
    async tookAll(name: string, bytes: number) {
      turns.took(who(name), bytes, true);
      await Promise.resolve();
    },
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
    const { wait, took, may, ticks } = setUp();
    for (let i = 0; i < 100; i++) {
      await wait("a");
      took("a", MIB);
    }
    assertEquals(may.length, 100);
    assertEquals(ticks.size, 0);
  });

  it("gives each 32 MiB, in the order they came", async () => {
    const { wait, took, may, ticks } = setUp();
    await wait("a", "b", "c");
    for (let i = 0; i < 4; i++) {
      took("a", 8 * MIB);
      await wait("a");
    }
    assertEquals(may, ["a", "a", "a", "a", "b"]);
    took("b", 32 * MIB);
    await wait("b");
    assertEquals(may, ["a", "a", "a", "a", "b", "c"]);
    assertEquals(ticks.size, 1);
  });

  it("gives who sends little by little no turn without end", async () => {
    const { wait, took, tookAll, may } = setUp();
    await wait("a", "b");
    took("a", 2 * MIB);
    for (let i = 0; i < 479; i++) await tookAll("a", 1);
    assertEquals(may, ["a"]);
    await tookAll("a", 1);
    assertEquals(may, ["a", "b"]);
  });

  it("goes on to the next when one has sent little, or left", async () => {
    const { wait, tookAll, leave, may, ticks } = setUp();
    await wait("a", "b", "c", "d");
    await tookAll("a", MIB);
    assertEquals(may, ["a", "b"]);
    // Not its turn yet: it waits no longer, and nobody else's turn ends.
    await leave("c");
    assertEquals(may, ["a", "b", "c"]);
    await leave("b");
    assertEquals(may, ["a", "b", "c", "d"]);
    assertEquals(ticks.size, 0);
    // Nobody waits: the turn is given up.
    await tookAll("d", 4 * MIB);
    await wait("e");
    assertEquals(may.at(-1), "e");
  });

  it("waits a moment for more of one that has sent much", async () => {
    const { wait, tookAll, may, tick } = setUp();
    await wait("a", "b");
    await tookAll("a", 4 * MIB);
    await tick();
    assertEquals(may, ["a"]);
    // Its data came in time.
    await tookAll("a", MIB);
    await tick();
    assertEquals(may, ["a"]);
    await tick();
    assertEquals(may, ["a", "b"]);
  });

  it("waits no more for one that was waited for in vain, for 64 turns", async () => {
    const { wait, tookAll, may, tick } = setUp();
    await wait("a", "b");
    await tookAll("a", 4 * MIB);
    await tick();
    await tick();
    assertEquals(may.splice(0), ["a", "b"]);
    for (let turn = 0; turn < 63; turn++) {
      await wait("a");
      await tookAll("b", MIB);
      await wait("b");
      await tookAll("a", 4 * MIB);
      assertEquals(may.splice(0), ["a", "b"]);
    }
    await wait("a");
    await tookAll("b", MIB);
    await wait("b");
    await tookAll("a", 4 * MIB);
    assertEquals(may, ["a"]);
  });

  it("takes the turn from one that does not use it", async () => {
    const { wait, took, may, tick, ticks } = setUp();
    await wait("a", "b");
    took("a", MIB);
    await tick();
    assertEquals(may, ["a"]);
    await tick();
    assertEquals(may, ["a", "b"]);
    assertEquals(ticks.size, 0);
    // Its read, still under way, ends later, and counts for nobody.
    took("a", 64 * MIB);
    await wait("b");
    assertEquals(may, ["a", "b", "b"]);
  });
});
