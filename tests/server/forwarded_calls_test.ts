import { describe, it } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import { type ForwardedCall, ForwardedCalls } from "../../lib/server/forwarded_calls.ts";
import { KnownMessages } from "../../lib/server/known_messages.ts";
import { chunk } from "../forward/chunks.ts";

const HEADERS = new Map([["rerelay-ack", "synced"]]);

/** Calls to a server whose disk loses what it has when it is told to. */
function setUp() {
  const known = new KnownMessages();
  let lost = 0;
  const confirm = () => {
    const before = lost;
    return () => lost > before ? Promise.reject(new Error("the disk failed")) : Promise.resolve();
  };
  const calls = new ForwardedCalls({ settled: () => Promise.resolve(), confirm, known });
  const begin = (): ForwardedCall => calls.begin(HEADERS)!;
  return { known, begin, lose: () => lost++ };
}

/** What is taken of these chunks, by their numbers. */
function taken(call: ForwardedCall, ...numbers: number[]): number[] {
  const msgs: LogMsg[] = numbers.map((number) => chunk("a", number));
  return call.fresh(msgs).map((msg) => numbers[msgs.indexOf(msg)]!);
}

describe("calls by which another Rerelay forwards", () => {
  it("that fail are taken again, and nothing else is", async () => {
    const { known, begin, lose } = setUp();
    known.sent(chunk("a", 0));
    const kept = begin();
    assertEquals(taken(kept, 1, 2), [1, 2]);
    await kept.kept();
    const failed = begin();
    assertEquals(taken(failed, 2, 3, 4), [3, 4]);
    lose();
    await assertRejects(() => failed.kept(), Error, "the disk failed");
    assertEquals(taken(begin(), 0, 1, 2, 3, 4), [3, 4]);
  });

  it("that were cut off before the disk failed are taken again", async () => {
    const { begin, lose } = setUp();
    const cut = begin();
    assertEquals(taken(cut, 1), [1]);
    lose();
    // The next one comes before anybody has asked about the first.
    const next = begin();
    assertEquals(taken(next, 1, 2), [2]);
    await assertRejects(() => next.kept(), Error, "the disk failed");
    await assertRejects(() => cut.kept(), Error, "the disk failed");
    const last = begin();
    assertEquals(taken(last, 1, 2), [1, 2]);
    await last.kept();
    assertEquals(taken(begin(), 1, 2), []);
  });

  it("that fail are taken again though they were sent on", async () => {
    const { known, begin, lose } = setUp();
    const failed = begin();
    assertEquals(taken(failed, 1), [1]);
    known.sent(chunk("a", 1));
    assertEquals(known.isSent(chunk("a", 1)), true);
    lose();
    await assertRejects(() => failed.kept(), Error, "the disk failed");
    assertEquals(taken(begin(), 1), [1]);
  });

  it("are not kept where they left out what came by one that failed before they ended", async () => {
    const { begin, lose } = setUp();
    const stale = begin();
    assertEquals(taken(stale, 1), [1]);
    lose();
    // Its box has connected anew, before the connection that broke is found to be dead.
    const next = begin();
    assertEquals(taken(next, 1, 2), [2]);
    await assertRejects(() => stale.kept(), Error, "the disk failed");
    await assertRejects(() => next.kept(), Error, "the disk failed");
    assertEquals(taken(begin(), 1, 2), [1, 2]);
  });

  it("leave out what others bring at the same time, also one the other's", async () => {
    const { begin } = setUp();
    const [one, two] = [begin(), begin()];
    assertEquals(taken(one, 1), [1]);
    assertEquals(taken(two, 2, 1), [2]);
    assertEquals(taken(one, 2), []);
    await Promise.all([one.kept(), two.kept()]);
  });
});
