/**
 * Short connections one after the other, faster than they are received: each sends all it has at once
 * and closes. On the runtime that runs this:
 *
 *     deno run -A tests/soak/burst.ts [--connections 10000] [--limit 64] [--mutated 0] [--seed S]
 *     bun tests/soak/burst.ts
 *
 * `--limit` is `--channel-limit` in MiB; with `--mutated 1` nine of ten connections send damaged data.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { detectRuntime } from "../../lib/adapters/runtime.ts";
import { fixture } from "../fixtures.ts";
import { caseRandom } from "../random.ts";
import { scriptArgs } from "../script_args.ts";
import { Host, type Must, must, sleep } from "./host.ts";

const CAPTURE = fixture("captures/0.22.1-mixed.bin");
const MESSAGES = 34;
const GREETING_BYTES = 7;
/** One of so many is whole. */
const WHOLE_EVERY = 10;
/** What the process takes beside what it holds for clients. */
const SLACK_MIB = 128 + 60;
/** All has come when nothing was done for so long: longer than a busy machine keeps it from it. */
const QUIET_MS = 3000;

/** What is sent, and what the server is told. */
export interface Burst {
  readonly connections: number;
  readonly limitMiB: number;
  readonly isMutated: boolean;
  readonly seed: number;
  /** Further arguments of the command line. */
  readonly args?: readonly string[];
  /**
   * How often it is done at most until memory stays within what is allowed and the end is not cut
   * off; default 1. What is held counts each time, and what a runtime has not collected yet is up to
   * chance.
   */
  readonly tries?: number;
}

/** The capture with bytes changed anywhere, lengths of packets that lie, and ends anywhere. */
function mutated(random: () => number): Uint8Array<ArrayBuffer> {
  const bytes = CAPTURE.slice();
  const below = (n: number) => Math.floor(random() * n);
  for (let n = below(6); n > 0; n--) {
    bytes[GREETING_BYTES + below(bytes.length - GREETING_BYTES)] = below(256);
  }
  if (random() < 0.5) {
    const view = new DataView(bytes.buffer);
    let at = GREETING_BYTES;
    for (let skip = below(MESSAGES); skip > 0 && at + 4 < bytes.length; skip--) {
      at += 4 + view.getUint32(at, true);
    }
    if (at + 4 < bytes.length) view.setUint32(at, below(2 ** 29), true);
  }
  return random() < 0.3 ? bytes.subarray(0, below(bytes.length)) : bytes;
}

/** Sends all at once and leaves; resolves when the system has taken it. */
function send(port: number, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    // One that sent damaged data may be cut off, whenever it is found out.
    socket.on("error", () => resolve());
    socket.on("finish", () => resolve());
    socket.resume();
    socket.end(bytes);
  });
}

/**
 * How much was received: `Received 34 messages, …` is the last but one thing that is said. Nothing if
 * a busy machine gave it no time to end in order, which it says.
 */
async function received(host: Host): Promise<number | undefined> {
  let text = "0";
  let isCut = false;
  const stop = host.onLine((line) => {
    text = /Received ([\d,]+) messages/.exec(line)?.[1] ?? text;
    isCut ||= line.includes("Cut off after");
  });
  const { code } = await host.stop(60_000);
  stop();
  if (code === 1 && isCut) return undefined;
  return code === 0 ? Number(text.replaceAll(",", "")) : -1;
}

/**
 * Runs a burst.
 *
 * @param load what is sent
 * @param must is told what holds
 */
export async function burst(load: Burst, must: Must): Promise<void> {
  const { limitMiB, tries = 1 } = load;
  const allowed = limitMiB + SLACK_MIB;
  const peaks: number[] = [];
  for (let left = tries; left > 0 && !(peaks.at(-1)! < allowed); left--) {
    const peak = await peakOf(load, must);
    if (peak !== undefined) peaks.push(peak);
  }
  must(peaks.length > 0, "it came to an end that was not cut off");
  must(
    peaks.at(-1)! < allowed,
    `resident memory was ${
      peaks.map((peak) => peak.toFixed(0)).join(", then ")
    } MiB at most; the ` +
      `limit of the channel is ${limitMiB} MiB, ${allowed} are allowed`,
  );
}

/** The most resident memory of one burst, in MiB; nothing if its end was cut off. */
async function peakOf(load: Burst, must: Must): Promise<number | undefined> {
  const { connections, limitMiB, isMutated, seed } = load;
  const folder = mkdtempSync(join(tmpdir(), "rerelay-burst-"));
  try {
    const host = await Host.start([
      ...["--save", join(folder, "o.rrd"), "--channel-limit", `${limitMiB}MiB`],
      ...load.args ?? [],
    ]);
    for (let i = 0; i < connections; i++) {
      const isWhole = !isMutated || i % WHOLE_EVERY === 0;
      await send(host.port, isWhole ? CAPTURE : mutated(caseRandom(seed, i)));
    }
    // Closing reads on for a second only: what waits in the system must have been read by then.
    for (let still = 0; still < QUIET_MS; still += 100, await sleep(100)) {
      if (host.cpuMs > 30) still = 0;
    }
    const peak = host.peakMiB;
    const messages = await received(host);
    if (messages === undefined) return undefined;
    const whole = Math.ceil(connections / (isMutated ? WHOLE_EVERY : 1)) * MESSAGES;
    must(
      isMutated ? messages >= whole : messages === whole,
      `${connections} connections${isMutated ? ", most damaged" : ""}: ${messages} messages of ` +
        `${isMutated ? "at least " : ""}${whole}`,
    );
    return peak;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const { seed, numbers } = scriptArgs({ connections: 10_000, limit: 64, mutated: 0 });
  const { connections, limit: limitMiB } = numbers;
  console.log(`${detectRuntime()}: ${connections} connections, ${limitMiB} MiB, seed ${seed}`);
  await burst({ connections, limitMiB, isMutated: numbers.mutated > 0, seed }, must);
}
