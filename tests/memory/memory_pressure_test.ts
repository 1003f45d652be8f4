import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { MemoryPressure } from "../../lib/memory/memory_pressure.ts";

const MIB = 2 ** 20;

/** Reads so many MiB, one by one, with so many waiting; gives how often garbage was collected. */
function collections(readMiB: number, waitingMiB: number, limitMiB: number): number {
  let collected = 0;
  const waiting = { bytes: waitingMiB * MIB, limitBytes: limitMiB * MIB };
  const pressure = new MemoryPressure(() => collected++, waiting, () => 0);
  for (let i = 0; i < readMiB; i++) pressure.read(MIB);
  return collected;
}

describe("MemoryPressure", () => {
  it("leaves the runtime alone while little waits", () => {
    assertEquals(collections(10_000, 63, 256), 0);
    assertEquals(collections(10_000, 0, 1), 0);
  });

  it("collects every 24 MiB once a quarter of the limit waits, of a small limit more often", () => {
    assertEquals(collections(240, 64, 256), 10);
    assertEquals(collections(240, 60, 64), 15);
  });

  it("does not collect at each message where the limit is tiny", () => {
    assertEquals(collections(240, 1, 1), 15);
  });

  it("says whether memory is short, from a thirty-second of the limit on", () => {
    const waiting = { bytes: 8 * MIB, limitBytes: 256 * MIB };
    const spare = { isTight: false, clear: () => {} };
    const pressure = new MemoryPressure(() => {}, waiting, () => 0, spare);
    pressure.read(1);
    assertEquals(spare.isTight, true);
    waiting.bytes--;
    pressure.read(1);
    assertEquals(spare.isTight, false);
  });

  it("collects once more after the pressure has ended, then no more", () => {
    let collected = 0;
    const waiting = { bytes: 100 * MIB, limitBytes: 256 * MIB };
    const pressure = new MemoryPressure(() => collected++, waiting, () => 0);
    for (let i = 0; i < 24; i++) pressure.read(MIB);
    assertEquals(collected, 1);
    waiting.bytes = 0;
    for (let i = 0; i < 23; i++) pressure.read(MIB);
    assertEquals(collected, 1);
    for (let i = 0; i < 1000; i++) pressure.read(MIB);
    assertEquals(collected, 2);
  });

  it("collects for clients that left, by the hundred, and a fiftieth of the time at most", () => {
    let now = 0;
    let collected = 0;
    const collect = (onlyBegin = false) => {
      if (onlyBegin) return;
      collected++;
      now += 100;
    };
    const waiting = { bytes: 0, limitBytes: 256 * MIB };
    const pressure = new MemoryPressure(collect, waiting, () => now);
    const leave = (clients: number, open = 0) => {
      for (let i = 0; i < clients; i++) pressure.left();
      // No others leave meanwhile.
      for (let i = 0; i < 3; i++) pressure.look(open);
      return collected;
    };
    assertEquals([leave(99), leave(1), leave(1000)], [0, 1, 1]);
    now += 4999;
    assertEquals(leave(0), 1);
    now += 1;
    assertEquals([leave(0), leave(0)], [2, 2]);
    now += 5000;
    assertEquals([leave(999, 1000), leave(1, 1000)], [2, 3]);
  });

  it("waits until others have left that are leaving, up to four times as many", () => {
    let collected = 0;
    const collect = (onlyBegin = false) => void (collected += onlyBegin ? 0 : 1);
    const waiting = { bytes: 0, limitBytes: 256 * MIB };
    const pressure = new MemoryPressure(collect, waiting, () => 0);
    const leave = (clients: number, open: number) => {
      for (let i = 0; i < clients; i++) pressure.left();
      pressure.look(open);
      return collected;
    };
    // Of 1,000: most of them are alive, and nobody leaves at the end.
    assertEquals([leave(300, 700), leave(300, 400), leave(100, 300)], [0, 0, 0]);
    assertEquals([leave(0, 300), leave(0, 300)], [0, 1]);
    const churn = new MemoryPressure(collect, waiting, () => 0);
    let looks = 0;
    while (collected === 1) {
      for (let i = 0; i < 50; i++) churn.left();
      churn.look(50);
      looks++;
    }
    assertEquals(looks, 9);
  });

  it("collects at once where clients come and leave in a burst, for a sixth of the time at most", () => {
    let now = 0;
    let collected = 0;
    const collect = () => {
      collected++;
      now += 10;
    };
    const waiting = { bytes: 0, limitBytes: 256 * MIB };
    const pressure = new MemoryPressure(collect, waiting, () => now);
    const burst = (left: number, readMiB: number, clients: number) => {
      for (let i = 0; i < left; i++) pressure.left();
      pressure.read(readMiB * MIB);
      pressure.lookAtBurst(clients);
      return collected;
    };
    // Too few have left; too little was read; it would take long to look through those that are here.
    assertEquals([burst(49, 20, 10), burst(1, 0, 1000), burst(949, 0, 1000)], [0, 0, 0]);
    assertEquals([burst(1, 0, 1000), burst(1000, 15, 0)], [1, 1]);
    now += 49;
    assertEquals(burst(0, 1, 0), 1);
    now += 1;
    assertEquals([burst(0, 0, 0), burst(0, 0, 0)], [2, 2]);
    // Thousands that brought little leave little behind.
    now += 1000;
    assertEquals([burst(10_000, 156, 0), burst(0, 1, 0)], [2, 3]);
    // Thrice as much does not wait until the pause is over.
    assertEquals([burst(50, 23, 0), burst(0, 1, 0), burst(49, 100, 0)], [3, 4, 4]);
  });

  it("collects at once for what came that was no message, a sixth of the time, of many clients later", () => {
    let now = 0;
    let collected = 0;
    const collect = () => {
      collected++;
      now += 10;
    };
    const pressure = new MemoryPressure(collect, { bytes: 0, limitBytes: 256 * MIB }, () => now);
    const garbage = (mib: number, clients: number) => {
      pressure.garbage(mib * MIB);
      pressure.lookAtBurst(clients);
      return collected;
    };
    assertEquals([garbage(31, 10), garbage(1, 10), garbage(63, 10)], [0, 1, 1]);
    now += 50;
    assertEquals([garbage(0, 10), garbage(0, 10)], [2, 2]);
    now += 50;
    // 4 KiB each.
    assertEquals([garbage(39, 10_240), garbage(1, 10_240)], [2, 3]);
  });

  it("collects twice as much in the pause behind a collection, however long that takes", () => {
    let now = 0;
    let collected = 0;
    const collect = () => {
      collected++;
      now += 5000;
    };
    const pressure = new MemoryPressure(collect, { bytes: 0, limitBytes: 256 * MIB }, () => now);
    const garbage = (mib: number, clients: number) => {
      pressure.garbage(mib * MIB);
      pressure.lookAtBurst(clients);
      return collected;
    };
    assertEquals([garbage(32, 10), garbage(63, 10), garbage(1, 10)], [1, 1, 2]);
    assertEquals([garbage(79, 10_240), garbage(1, 10_240)], [2, 3]);
  });

  it("lets the runtime begin a look before it collects", () => {
    const calls: string[] = [];
    const collect = (onlyBegin = false) => void calls.push(onlyBegin ? "begin" : "collect");
    const pressure = new MemoryPressure(collect, { bytes: 0, limitBytes: MIB }, () => 0);
    const look = () => {
      pressure.look(0);
      return calls.splice(0);
    };
    for (let i = 0; i < 100; i++) pressure.left();
    assertEquals([look(), look(), look(), look()], [[], ["begin"], ["collect"], []]);
    for (let i = 0; i < 1000; i++) pressure.read(1);
    const quiet = [look(), look(), look(), look()];
    assertEquals(quiet, [[], [], [], []]);
    assertEquals([look(), look(), look()], [["begin"], ["collect"], []]);
  });

  it("collects once when it has gone quiet after a thousand reads", () => {
    let collected = 0;
    const collect = (onlyBegin = false) => void (collected += onlyBegin ? 0 : 1);
    const waiting = { bytes: 0, limitBytes: 256 * MIB };
    const pressure = new MemoryPressure(collect, waiting, () => 0);
    const look = (times: number) => {
      for (let i = 0; i < times; i++) pressure.look(0);
    };
    look(10);
    for (let i = 0; i < 999; i++) pressure.read(1);
    look(10);
    assertEquals(collected, 0);
    pressure.read(1);
    look(4);
    pressure.read(1);
    look(5);
    assertEquals(collected, 0);
    look(1);
    assertEquals(collected, 1);
    look(10);
    assertEquals(collected, 1);
    for (let i = 0; i < 1000; i++) pressure.read(1);
    waiting.bytes = 1;
    look(10);
    assertEquals(collected, 1);
    waiting.bytes = 0;
    look(5);
    assertEquals(collected, 2);
  });
});
