/**
 * SIGTERM at random moments under load, again and again, on the runtime that runs this:
 *
 *     deno run -A tests/soak/stops.ts [--cases 100] [--seed S] [--case N]
 *     bun tests/soak/stops.ts
 */
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { detectRuntime } from "../../lib/adapters/runtime.ts";
import { RrdDecoder } from "../../lib/encoding/rrd/rrd_decoder.ts";
import { framed, HELLO } from "../encoding/rrd_builder.ts";
import { caseRandom } from "../random.ts";
import { scriptArgs } from "../script_args.ts";
import { ClientPackets } from "./client_packets.ts";
import { closed, dial, Host, type HostEnd, must, sleep, write } from "./host.ts";

const MAX_SEC = 2;
const CLIENTS = 10;

/**
 * Stops one command line at a random moment.
 *
 * @param random in [0, 1)
 * @returns how it ended
 * @throws {Error} if a file was not closed, or what is lost was not told
 */
export async function stopAtRandom(random: () => number): Promise<HostEnd> {
  const folder = await mkdtemp(join(tmpdir(), "rerelay-stop-"));
  const host = await Host.start(["--save", join(folder, "a.rrd")]);
  const lines: string[] = [];
  host.onLine((line) => lines.push(line));
  let stopped = false;
  try {
    const load = Array.from({ length: CLIENTS }, async (_, client) => {
      const packets = new ClientPackets(client);
      const socket = await dial(host.port);
      await write(socket, HELLO);
      while (!stopped && await write(socket, framed(packets.next()))) await sleep(1);
      if (random() < 0.5) socket.end();
      await Promise.race([closed(socket), sleep(MAX_SEC * 2000)]);
      socket.destroy();
    });
    await sleep(random() * 1500);
    const ended = await host.stop();
    stopped = true;
    await Promise.allSettled(load);
    const said = lines.join("\n");
    if (ended.code !== 0 && !(ended.code === 1 && /\blost\b/.test(said))) {
      throw new Error(`it ended with ${ended.code}: ${said}`);
    }
    const names = await readdir(folder);
    // Cut off while it closed its file, which the next start does then.
    if (ended.code === 1 && /Cut off/.test(said) && names.includes("a.rrd.part")) return ended;
    // The index says whose the file is.
    const expected = "a.rrd,a.rrd.index.jsonl";
    if (names.sort().join() !== expected) throw new Error(`the folder has ${names.join()}`);
    const bytes = new Uint8Array(await readFile(join(folder, "a.rrd")));
    const decoder = new RrdDecoder();
    const { items, error = decoder.finish().error } = decoder.push(bytes);
    if (error !== undefined) throw error;
    const whole = decoder.offset === bytes.length && bytes.subarray(-8).every((byte) => byte === 0);
    if (!whole) throw new Error(`the file ends at ${decoder.offset} of ${bytes.length} bytes`);
    const saved = Number(/Saved ([\d,]+) messages?/.exec(said)?.[1]?.replaceAll(",", ""));
    if (saved !== items.length) throw new Error(`${items.length} messages of ${saved}: ${said}`);
    return ended;
  } finally {
    stopped = true;
    await host.stop(0);
    await rm(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const { seed, only, numbers: { cases } } = scriptArgs({ cases: 100 });
  console.log(`${detectRuntime()}: SIGTERM at ${only ?? cases} moments, seed ${seed}`);
  const ends: HostEnd[] = [];
  for (let index = only ?? 0; index < (only === undefined ? cases : only + 1); index++) {
    try {
      ends.push(await stopAtRandom(caseRandom(seed, index)));
    } catch (error) {
      must(false, `case ${index}: ${(error as Error).message}`);
    }
  }
  const seconds = ends.map((end) => end.seconds).sort((a, b) => a - b);
  const zero = ends.filter(({ code }) => code === 0).length;
  must(
    seconds.length > 0 && seconds.at(-1)! <= MAX_SEC,
    `gone after ${seconds[seconds.length >> 1]?.toFixed(2)} s (median), ` +
      `${seconds.at(-1)?.toFixed(2)} s (slowest)`,
  );
  must(ends.length > 0, `${zero} ended with 0, ${ends.length - zero} with 1 and the loss told`);
}
