/**
 * Clients that send a byte now and then, in true time, on the runtime that runs this:
 *
 *     deno run -A tests/soak/slow.ts [--clients 50]
 *     bun tests/soak/slow.ts
 *
 * The same with a turned clock is in tests/limits_test.ts.
 */
import { detectRuntime } from "../../lib/adapters/runtime.ts";
import { concat, framed, HELLO } from "../encoding/rrd_builder.ts";
import { scriptArgs } from "../script_args.ts";
import { closed, dial, Host, must } from "./host.ts";

const PACKET = framed(new Uint8Array(100_000));
/** What is looked at twice a second may be seen a little late. */
const LATE_SEC = 1.5;

const KINDS = [
  { what: "a handshake, a byte every 2 s", bytes: HELLO, whole: 1, everyMs: 2000, sec: 10 },
  {
    // The handshake takes 6 s, which is allowed; the packet begins with its seventh byte.
    what: "a byte a second from the first",
    bytes: concat(HELLO, PACKET),
    whole: 1,
    everyMs: 1000,
    sec: 37,
  },
  {
    what: "a packet, a byte a second",
    bytes: concat(HELLO, PACKET),
    whole: HELLO.length + 1,
    everyMs: 1000,
    sec: 30,
  },
  {
    what: "a packet that stands still",
    bytes: concat(HELLO, PACKET.subarray(0, 90_000)),
    whole: HELLO.length + 90_000,
    everyMs: 1000,
    sec: 60,
  },
];

const { numbers: { clients } } = scriptArgs({ clients: 50 });
console.log(`${detectRuntime()}: ${clients} slow clients of each kind`);
const host = await Host.start([]);
await Promise.all(KINDS.map(async ({ what, bytes, whole, everyMs, sec }) => {
  const lasted = await Promise.all(Array.from({ length: clients }, async () => {
    const socket = await dial(host.port);
    const start = performance.now();
    let at = whole;
    socket.write(bytes.subarray(0, at));
    const timer = setInterval(() => {
      if (at < bytes.length) socket.write(bytes.subarray(at, ++at));
    }, everyMs);
    await closed(socket);
    clearInterval(timer);
    return (performance.now() - start) / 1000;
  }));
  lasted.sort((a, b) => a - b);
  const [first, last] = [lasted[0]!, lasted.at(-1)!];
  must(
    first >= sec - 0.1 && last <= sec + LATE_SEC,
    `${what}: closed after ${first.toFixed(1)} to ${last.toFixed(1)} s, ${sec} s allowed`,
  );
}));
must((await host.stop()).code === 0, "the process lived");
