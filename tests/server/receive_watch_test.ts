import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { ReceiveWatch } from "../../lib/server/receive_watch.ts";

describe("ReceiveWatch", () => {
  const setUp = () => {
    const lines: string[] = [];
    const channel = { length: 0, bytes: 0 };
    const state = { wasTaken: false };
    const watch = new ReceiveWatch(channel, () => state.wasTaken, {
      enabled: () => true,
      write: (level, text) => lines.push(`${level} ${text}`),
    });
    return { lines, channel, state, watch };
  };

  it("says once that nobody receives, after 5 s in which messages wait", () => {
    const { lines, channel, watch } = setUp();
    for (let now = 0; now <= 20_000; now += 500) watch.look(now);
    assertEquals(lines, []);
    Object.assign(channel, { length: 3, bytes: 100 });
    for (let now = 20_500; now < 25_500; now += 500) watch.look(now);
    assertEquals(lines, []);
    for (let now = 25_500; now < 60_000; now += 500) watch.look(now);
    assertEquals(lines, [
      "warn Nobody receives: 3 messages (100 bytes) waiting for 5 s. Iterate the server or its " +
      "batches(), or pipe its readable",
    ]);
  });

  it("says nothing where somebody receives, however slowly", () => {
    const { lines, channel, state, watch } = setUp();
    Object.assign(channel, { length: 3, bytes: 100 });
    watch.look(0);
    state.wasTaken = true;
    for (let now = 500; now <= 20_000; now += 500) watch.look(now);
    assertEquals(lines, []);
  });
});
