import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { acceptLoop } from "../../lib/server/accept_loop.ts";
import { limitedLog } from "../../lib/base/limited_log.ts";
import { silentLog } from "../../lib/base/log.ts";
import type { TcpConnection } from "../../lib/adapters/tcp/types.ts";

const connection = {} as TcpConnection;

/** Runs the loop over these outcomes of accept, on a clock that only the waits move. */
async function run(outcomes: (TcpConnection | Error | undefined)[]) {
  let now = 0;
  let accepted = 0;
  const waits: number[] = [];
  const lines: string[] = [];
  const log = {
    enabled: () => true,
    write: (level: string, text: string) => void lines.push(`${now} ${level} ${text}`),
  };
  await acceptLoop({
    addr: { hostname: "127.0.0.1", port: 1 },
    accept: () => {
      const outcome = outcomes.shift();
      return outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome);
    },
    close: () => {},
  }, {
    log: limitedLog(log, () => now),
    delay: (ms) => {
      waits.push(ms);
      now += ms;
      return Promise.resolve();
    },
    onConnection: () => accepted++,
  }).ended;
  return { accepted, waits, lines };
}

describe("acceptLoop", () => {
  it("goes on after a failure, and ends when the listener is closed", async () => {
    const { accepted, lines } = await run([
      connection,
      new Error("no files"),
      connection,
      undefined,
    ]);
    assertEquals(accepted, 2);
    assertEquals(lines, ["0 warn Failed to accept incoming SDK client: no files"]);
  });

  it("waits longer with each failure, up to a second, and starts over after a success", async () => {
    const failures = Array.from({ length: 9 }, () => new Error("no files"));
    const { waits } = await run([...failures, connection, new Error("no files")]);
    assertEquals(waits, [10, 20, 40, 80, 160, 320, 640, 1000, 1000, 10]);
  });

  it("ends a pause when it is told to", async () => {
    const accepts = [Promise.reject(new Error("no files")), Promise.resolve(undefined)];
    const { ended, wake } = acceptLoop({
      addr: { hostname: "127.0.0.1", port: 1 },
      accept: () => accepts.shift()!,
      close: () => {},
    }, { log: silentLog, delay: () => new Promise(() => {}), onConnection: () => {} });
    while (accepts.length > 1) await Promise.resolve();
    for (let i = 0; i < 10; i++) await Promise.resolve();
    wake();
    await ended;
    assertEquals(accepts.length, 0);
  });

  it("never floods the log: one line a second, with the count of those left out", async () => {
    const failures = Array.from({ length: 1000 }, () => new Error("no files"));
    // A success between the failures keeps the waits at their shortest.
    const { lines } = await run(failures.flatMap((failure) => [failure, connection]));
    assertEquals(lines.length, 10);
    assertEquals(
      lines[1],
      "1000 warn Failed to accept incoming SDK client: no files (and 99 more like this)",
    );
  });

  it("waits where it is asked to, and lets those that are in be read now and then", async () => {
    const order: string[] = [];
    const outcomes: (TcpConnection | undefined)[] = [...Array(70).fill(connection), undefined];
    await acceptLoop({
      addr: { hostname: "127.0.0.1", port: 1 },
      accept: () => Promise.resolve(outcomes.shift()),
      close: () => {},
    }, {
      log: silentLog,
      delay: (ms) => Promise.resolve(void order.push(`delay ${ms}`)),
      pace: () => order.length === 2 ? Promise.resolve(void order.push("pace")) : undefined,
      onConnection: () => order.push("in"),
    }).ended;
    assertEquals(order.slice(0, 4), ["in", "in", "pace", "in"]);
    assertEquals(order.flatMap((what, i) => what === "delay 0" ? [i] : []), [33, 66]);
    assertEquals(order.filter((what) => what === "in").length, 70);
  });
});
