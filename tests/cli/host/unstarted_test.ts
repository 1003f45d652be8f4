import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { leaveUnstarted, type Opened, unlessStopped } from "../../../lib/cli/host/unstarted.ts";

describe("a start", () => {
  it("is waited for until a signal, and then for a moment", async () => {
    const stop = Promise.withResolvers<void>();
    const grace = Promise.withResolvers<void>();
    const never = new Promise<string>(() => {});
    const asked: number[] = [];
    const delay = (ms: number) => {
      asked.push(ms);
      return grace.promise;
    };
    assertEquals(await unlessStopped(Promise.resolve("up"), stop.promise, delay), "up");

    const starting = Promise.withResolvers<string>();
    const nearly = unlessStopped(starting.promise, stop.promise, delay);
    const left = unlessStopped(never, stop.promise, delay);
    stop.resolve();
    await new Promise((resolve) => setTimeout(resolve));
    assert(asked.length === 3 && asked.every((ms) => ms > 0 && ms <= 500), asked.join());
    starting.resolve("just in time");
    assertEquals(await nearly, "just in time");
    grace.resolve();
    assertEquals(await left, undefined);
  });

  it("that fails says why, but not once it was left", async () => {
    const failure = new Error("no folder");
    const said = await unlessStopped(Promise.reject(failure), new Promise(() => {}))
      .catch((error) => error);
    assertEquals(said, failure);
    const late = Promise.withResolvers<string>();
    const stopped = Promise.resolve();
    assertEquals(await unlessStopped(late.promise, stopped, () => stopped), undefined);
    late.reject(failure); // would end the process if nobody took it
    await new Promise((resolve) => setTimeout(resolve));
  });

  it("that is left closes what is open, and fails if that had taken messages", async () => {
    for (
      const [messages, code, line] of [
        [0, 0, "info Stopped before a.rrd was open"],
        [3, 1, "error Stopped before a.rrd was open: 3 messages (77 B) that had come in are lost"],
      ] as const
    ) {
      const lines: string[] = [];
      let closed = 0;
      const close = () => Promise.resolve(void closed++);
      const opened = {
        server: { close, stats: { messages, bytes: messages && 77 } },
        viewers: { close },
      } as unknown as Opened;
      const log = {
        enabled: () => true,
        write: (level: string, text: string) => void lines.push(`${level} ${text}`),
      };
      assertEquals(await leaveUnstarted(opened, "a.rrd", log), code);
      assertEquals([lines, closed], [[line], 2]);
    }
  });
});
