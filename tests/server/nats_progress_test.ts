import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { NatsProgress } from "../../lib/server/nats_progress.ts";
import { NatsSeen } from "../../lib/server/nats_seen.ts";

describe("NatsProgress", () => {
  it("moves over what was received with all that came before", () => {
    const progress = new NatsProgress(3);
    const [a, b, c] = [4, 6, 7].map((seq) => progress.came(seq));
    progress.sent(a!, 1, 2);
    progress.sent(b!, 2, 1);
    progress.sent(c!, 1, 0);
    progress.received(2, 1);
    assertEquals([progress.position, progress.length], [3, 3]);
    progress.received(1, 1);
    assertEquals(progress.position, 3);
    progress.received(1, 1);
    assertEquals([progress.position, progress.length], [7, 0]);
  });

  it("follows what is received of thousands that are under way of one box, in pieces of any size", () => {
    const progress = new NatsProgress(0);
    const [publishes, each] = [5000, 3];
    for (let seq = 1; seq <= publishes; seq++) progress.sent(progress.came(seq), 1, each);
    for (let received = 0, count = 1; received < publishes * each; count = count % 7 + 1) {
      progress.received(1, count);
      received = Math.min(received + count, publishes * each);
      assertEquals(progress.position, Math.floor(received / each));
      assertEquals(progress.length, publishes - progress.position);
    }
    progress.sent(progress.came(publishes + 1), 1, 1);
    progress.received(1, 1);
    assertEquals([progress.position, progress.length], [publishes + 1, 0]);
  });

  it("keeps nothing of more than can be under way, where nobody tells what was received", () => {
    let forsaken = 0;
    const progress = new NatsProgress(3, { maxMessages: 10, onForsaken: () => forsaken++ });
    const send = (seq: number) => progress.sent(progress.came(seq), 1, 2);
    for (let seq = 4; seq < 9; seq++) send(seq);
    progress.received(1, 2);
    send(9);
    assertEquals([progress.position, progress.length, forsaken], [4, 5, 0]);
    for (let seq = 10; seq < 20; seq++) send(seq);
    progress.drop(progress.came(20));
    assertEquals([progress.position, progress.length, forsaken], [4, 0, 1]);
    // It begins too late to know whose these were.
    progress.received(1, 4);
    assertEquals([progress.position, progress.length, forsaken], [4, 0, 1]);
  });

  it("stays before a first part until its message is whole, and counts in the order of the stream", () => {
    const passed: number[] = [];
    const progress = new NatsProgress(0, { onPassed: ([, , number]) => passed.push(number) });
    const first = progress.came(1);
    const other = progress.came(2);
    other.last = ["a", "file", 2];
    first.last = ["b", "file", 1];
    progress.sent(other, 1, 1);
    progress.received(1, 1);
    assertEquals([progress.position, passed], [0, []]);
    progress.drop(progress.came(3));
    progress.sent(first, 1, 1);
    progress.received(1, 1);
    assertEquals([progress.position, passed], [3, [1, 2]]);
  });

  it("does not grow behind a message that is never whole", () => {
    const passed = new Map<string, number>();
    const progress = new NatsProgress(0, {
      onPassed: ([key, file, number]) => passed.set(`${key} ${file}`, number),
    });
    const first = progress.came(1);
    const take = (seq: number) => {
      const entry = progress.came(seq);
      entry.recording = `of ${seq % 3}`;
      entry.last = [`box ${seq % 3}`, "file", seq];
      progress.sent(entry, 1, 2);
      progress.received(1, 2);
    };
    for (let seq = 2; seq <= 50_000; seq++) take(seq);
    const waits = progress.came(50_001);
    for (let seq = 50_002; seq <= 100_000; seq++) take(seq);
    assertEquals(progress.length < 10_000, true, `${progress.length}`);
    assertEquals([progress.position, passed.size], [0, 0]);
    assertEquals([...progress.beyond.values()].reduce((sum, count) => sum + count, 0), 2 * 99_998);
    progress.drop(first);
    assertEquals(progress.position, 50_000);
    assertEquals([...passed.values()].sort(), [49_998, 49_999, 50_000]);
    progress.drop(waits);
    assertEquals([progress.position, progress.length, progress.beyond.size], [100_000, 0, 0]);
    assertEquals([...passed.values()].sort(), [100_000, 99_998, 99_999]);
  });

  it("tells when too many recordings stand behind one that is never whole", () => {
    let times = 0;
    const progress = new NatsProgress(0, {
      onTooMany: () => {
        times++;
        progress.drop(first);
      },
    });
    const first = progress.came(1);
    for (let seq = 2; times === 0; seq++) {
      const entry = progress.came(seq);
      entry.recording = `${seq}`;
      progress.drop(entry);
      entry.count = 1;
      if (seq > 2_000_000) throw new Error("it is never told");
    }
    assertEquals(progress.length < 10, true, `${progress.length}`);
  });

  it("counts behind the position what was received, and what was kept before", () => {
    const progress = new NatsProgress(0);
    const [, second, third] = [1, 2, 3].map((seq) => progress.came(seq));
    Object.assign(second!, { recording: "a", kept: 2 });
    progress.sent(second!, 1, 3);
    progress.received(1, 1);
    assertEquals(progress.beyond, new Map([["a", 3]]));
    Object.assign(third!, { recording: "b", kept: 4 });
    progress.sent(third!, 2, 0);
    assertEquals(progress.beyond, new Map([["a", 3], ["b", 4]]));
  });

  it("is not moved by what was under way of a stream that was made anew", () => {
    const progress = new NatsProgress(0);
    progress.sent(progress.came(900), 1, 1);
    progress.restart();
    progress.sent(progress.came(1), 1, 1);
    progress.received(1, 1);
    assertEquals(progress.position, 0);
    progress.received(1, 1);
    assertEquals(progress.position, 1);
  });
});

describe("NatsSeen", () => {
  it("knows the last message of each file, also when it was written down", () => {
    const seen = new NatsSeen();
    seen.note("a", "file", 4);
    seen.note("a", "other", 1);
    seen.note("a", "file", 3);
    const again = new NatsSeen(JSON.parse(JSON.stringify(seen)));
    assertEquals([again.last("a", "file"), again.last("a", "other"), again.last("b", "file")], [
      4,
      1,
      -1,
    ]);
  });

  it("forgets the file used longest ago", () => {
    const seen = new NatsSeen();
    for (let file = 0; file < 2000; file++) {
      seen.note("a", `${file}`, 1);
      seen.note("a", "always", file);
    }
    const last = ["always", "1999", "1500", "0"].map((file) => seen.last("a", file));
    assertEquals(last, [1999, 1, 1, -1]);
  });

  it("remembers 400,000 files in all, and at least the last of each recording", () => {
    const seen = new NatsSeen();
    for (let i = 0; i < 450_000; i++) seen.note(`${i % 900}`, `${i}`, 1);
    seen.note("more", "file", 1);
    const files = [...seen.all()].length;
    assertEquals([files <= 400_000, files > 300_000, seen.size], [true, true, 901], `${files}`);
    assertEquals(seen.last("0", "449100"), 1);
  });

  it("tells what has changed since it was asked last", () => {
    const seen = new NatsSeen([["a", [["file", 4]]], ["b", [["file", 5]]]]);
    assertEquals(seen.changes(), seen.toJSON());
    assertEquals(seen.changes(), []);
    seen.note("b", "other", 1);
    seen.note("b", "other", 2);
    assertEquals(seen.changes(), [["b", [["other", 2]]]]);
    assertEquals(seen.changes(), []);
  });
});
