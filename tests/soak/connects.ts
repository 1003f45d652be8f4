/**
 * Connects to the command line again and again, leaves in every way there is, and counts its file
 * descriptors and memory:
 *
 *     deno run -A tests/soak/connects.ts [100000]
 *     bun tests/soak/connects.ts [100000]
 */
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { detectRuntime } from "../../lib/adapters/runtime.ts";
import { open, replay, startCli } from "../cli/cli_process.ts";
import { concat, framed, HELLO } from "../encoding/rrd_builder.ts";
import { fixture } from "../fixtures.ts";
import { seeded } from "../random.ts";

const count = Number(process.argv[2] ?? 100_000);
const AT_ONCE = 50;
const CAPTURE = fixture("captures/0.22.1-timeonly.bin");

/** A connection that is reset. */
async function reset(port: number, bytes: Uint8Array): Promise<void> {
  const socket = await open(port);
  socket.on("error", () => {});
  await new Promise<void>((resolve) => {
    socket.on("close", () => resolve());
    socket.write(bytes, () => socket.resetAndDestroy());
  });
}

const WAYS: ((port: number) => Promise<void>)[] = [
  (port) => replay(port, new Uint8Array(0)),
  (port) => replay(port, HELLO.subarray(0, 3)),
  (port) => replay(port, HELLO),
  (port) => replay(port, CAPTURE),
  (port) => replay(port, CAPTURE.subarray(0, CAPTURE.length - 9)),
  (port) => replay(port, new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n")),
  (port) => replay(port, concat(HELLO, framed(new Uint8Array(50)))),
  (port) => reset(port, HELLO.subarray(0, 1)),
  (port) => reset(port, CAPTURE.subarray(0, 3000)),
];

const { cli, port } = await startCli(["--quiet", "--log-level", "error"], {
  deadlineMs: 3_600_000,
});
const pid = cli.child.pid!;
const descriptors = () => readdirSync(`/proc/${pid}/fd`).length;
const residentKiB = () =>
  Number(/VmRSS:\s*(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))![1]);
const random = seeded(1);
const start = performance.now();
let before: number | undefined;
console.log(`${detectRuntime()}, ${count} connects, seed 1`);
for (let done = 0; done < count;) {
  const some = Array.from({ length: AT_ONCE }, () => WAYS[Math.floor(random() * WAYS.length)]!);
  await Promise.all(some.map((way) => way(port).catch(() => {})));
  done += AT_ONCE;
  before ??= descriptors();
  if (done % 10_000 === 0) {
    const sec = ((performance.now() - start) / 1000).toFixed(0);
    console.log(`${done} in ${sec} s: ${descriptors()} descriptors, ${residentKiB()} KiB`);
  }
}
for (let tries = 0; descriptors() > before! && tries < 100; tries++) {
  await new Promise((resolve) => setTimeout(resolve, 50));
}
const after = descriptors();
cli.signal("SIGTERM");
const { code } = await cli.ended;
console.log(`descriptors: ${before} after the first ${AT_ONCE}, ${after} at the end; exit ${code}`);
process.exit(after <= before! && code === 0 ? 0 : 1);
