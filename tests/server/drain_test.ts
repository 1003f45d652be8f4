import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { drain } from "../../lib/server/drain.ts";
import { keptLog } from "../sinks/messages.ts";

/** A client of the list: what it has sent, by what has come of it at each step. */
interface Sender {
  /** Still to be read of what it had sent before the close, in steps. */
  backlog: number;
  /** Whether it goes on sending behind that. */
  readonly isEndless: boolean;
  isClosed?: boolean;
}

/** Drains by a clock that each wait moves on; `speed` clients have a step of their backlog read in one wait. */
async function run(senders: Sender[], { speed = 1, end = 20_000, lagMs = 0 } = {}) {
  let now = 0;
  let received = 0;
  const log = keptLog();
  const open = () => senders.filter(({ isClosed }) => isClosed !== true);
  const isSending = ({ backlog, isEndless }: Sender) => backlog > 0 || isEndless;
  await drain({
    clients: {
      sending: () => open().filter(isSending).length,
      lookAtBacklog(gapMs) {
        const endless = open().filter(({ backlog, isEndless }) => backlog === 0 && isEndless);
        for (const sender of endless) sender.isClosed = true;
        // While it lags, that nothing came says nothing.
        const quiet = gapMs === Infinity ? 0 : open().filter((each) => !isSending(each)).length;
        return { some: open().length - quiet, closed: endless.length };
      },
    },
    received: () => received,
    log,
    now: () => now,
    delay: (ms) => {
      now += ms + lagMs;
      for (const sender of open().filter(({ backlog }) => backlog > 0).slice(0, speed)) {
        sender.backlog--;
        received++;
        if (sender.backlog === 0 && !sender.isEndless) sender.isClosed = true;
      }
      return Promise.resolve();
    },
    drainMs: 1000,
    quietMs: 100,
    end,
  });
  return { now, log: log.lines.map(([level, text]) => `${level}: ${text}`) };
}

const endless = () => ({ backlog: 0, isEndless: true });
const burst = (backlog: number) => ({ backlog, isEndless: false });

describe("drain", () => {
  it("ends as soon as nobody sends, and says nothing", async () => {
    const { now, log } = await run([burst(5)]);
    assertEquals([now, log], [50, []]);
  });

  it("waits no longer than its time for those that go on sending, and says so", async () => {
    const { now, log } = await run([endless(), endless()]);
    assertEquals(now, 1000);
    assertEquals(log, [
      "warn: 2 clients were still sending after 1 s: what had not come in by then is lost",
    ]);
  });

  it("reads on what had been sent before and could not be read in that time", async () => {
    for (const lagMs of [0, 30]) {
      const senders = Array.from({ length: 300 }, () => burst(1));
      const { now, log } = await run(senders, { lagMs });
      assertEquals([now, log], [300 * (10 + lagMs), []]);
    }
  });

  it("tells of how many not all could be read", async () => {
    const senders = Array.from({ length: 300 }, () => burst(1));
    const { log } = await run([...senders, endless()], { end: 2000 });
    assertEquals(log, [
      "warn: 1 client was still sending after 1 s: what had not come in by then is lost",
      "warn: Not all could be read that 100 clients had sent: what was left of it is lost",
    ]);
  });

  it("does not wait where nothing is received any more", async () => {
    const { now, log } = await run([burst(1), burst(1)], { speed: 0 });
    assertEquals(now, 1500);
    assertEquals(log, [
      "warn: Not all could be read that 2 clients had sent: what was left of it is lost",
    ]);
  });
});
