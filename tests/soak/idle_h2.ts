/**
 * Many idle HTTP/2 connections, of which one in twenty has an open call, while others attack; on the
 * runtime that runs this:
 *
 *     deno run -A tests/soak/idle_h2.ts [--count 10000] [--seconds 30]
 *     bun tests/soak/idle_h2.ts
 */
import { detectRuntime } from "../../lib/adapters/runtime.ts";
import { startChild } from "../contract/child.ts";
import { ATTACKS } from "../comms/h2/attacks.ts";
import { scriptArgs } from "../script_args.ts";
import { attack, gzipBomb, served } from "./attacks.ts";
import { Host, type Must, must, sleep } from "./host.ts";

const KiB = 1024;
/** What options allow to be held: of messages that are not whole, and of those that nobody has taken. */
const HELD_MIB = 32;
const CHANNEL_MIB = 32;
/** What besides is rubbish that the runtime has not collected yet. */
const GROWN_MIB = 96;
/** Of a connection, whether it has a call or not. */
const IDLE_KIB = 40;
/** While three attackers take what the processor gives; and once they have ended. */
const BESIDE_MS = 1000;
const SERVED_MS = 100;
const EVERY_MS = 100;
/** So many are served then: one alone may meet whatever else the machine has to do. */
const AFTER = 5;
const SPARE_FILES = 500;
/** Until all are there, and for what is done before. */
const DIALING_SEC = 60;

/** What the peer has counted. */
interface Counts {
  open: number;
  opened: number;
  closed: number;
  failed: number;
  /** Of those that failed: they had not connected in time. */
  stuck: number;
  /** When it counted. */
  at: number;
  end?: true;
}

/** How much, and how strictly. */
export interface IdleH2Options {
  readonly count: number;
  readonly seconds: number;
  /** How many times as long clients may take on a machine that does other work. */
  readonly patience: number;
}

/**
 * Opens them, attacks, and looks at memory and at honest clients meanwhile.
 *
 * @param options how much
 * @param must is told what holds
 */
export async function idleH2(
  { count, seconds, patience }: IdleH2Options,
  must: Must,
): Promise<void> {
  const host = await Host.start(
    [
      "--max-unfinished",
      `${HELD_MIB}MiB`,
      "--channel-limit",
      `${CHANNEL_MIB}MiB`,
      "--handshake-timeout",
      `${DIALING_SEC + seconds + 30}s`,
    ],
    count + SPARE_FILES,
  );
  for (let i = 0; i < 20; i++) await served(host.port);
  const before = host.rssMiB;
  const peer = startChild(
    new URL("idle_h2_peer.ts", import.meta.url),
    [host.port, count, DIALING_SEC + seconds].map(String),
    count + SPARE_FILES,
  );
  let counts: Counts;
  do counts = await peer.next<Counts>(); while (counts.open < count && counts.end === undefined);
  const said = counts.open === count ? "" : `; the server said last:\n${host.said}`;
  must(counts.open === count, `${counts.open} are open, ${told(counts)}${said}`);
  await sleep(1000);
  const idle = host.rssMiB - before;
  must(
    idle * KiB / count < IDLE_KIB,
    `they take ${(idle * KiB / count).toFixed(1)} KiB each, ${idle.toFixed(0)} MiB in all`,
  );
  host.forgetPeak();
  const quiet = host.rssMiB;

  const zipped = await gzipBomb();
  const end = performance.now() + seconds * 1000;
  const attackers: Record<string, () => Iterable<Uint8Array>> = {
    "rapid reset": ATTACKS["rapid reset"]!,
    "an HPACK bomb": ATTACKS["an HPACK bomb"]!,
    "a gzip bomb": () => [zipped],
  };
  const attacks = Object.entries(attackers).map(async ([name, pieces]) => {
    let [times, ended] = [0, 0];
    while (performance.now() < end) {
      ended += (await attack(host.port, pieces())).isEnded ? 1 : 0;
      times++;
    }
    return `${name} ${times} times, ${ended} ended`;
  });
  const waits: number[] = [];
  while (performance.now() < end) {
    waits.push(await served(host.port));
    await sleep(EVERY_MS);
  }
  const attacked = (await Promise.all(attacks)).join("; ");
  must(waits.length > 0, attacked);
  waits.sort((a, b) => a - b);
  const ms = (wait: number) => `${wait.toFixed(0)} ms`;
  must(
    waits.at(-1)! < BESIDE_MS * patience,
    `${waits.length} clients beside them were served in ${
      ms(waits[waits.length >> 1]!)
    } (median), ` +
      `${ms(waits.at(-1)!)} (slowest)`,
  );
  const after: number[] = [];
  while (after.length < AFTER) after.push(await served(host.port));
  after.sort((a, b) => a - b);
  const next = after[AFTER >> 1]!;
  must(next < SERVED_MS * patience, `the next ${AFTER} were served in ${ms(next)} (median)`);
  const grown = host.peakMiB - quiet;
  must(
    grown < HELD_MIB + CHANNEL_MIB + GROWN_MIB,
    `memory grew by ${grown.toFixed(0)} MiB at the highest`,
  );
  const over = Date.now();
  do counts = await peer.next<Counts>(); while (counts.at < over && counts.end === undefined);
  // What the system did not connect in time has not reached the server.
  must(counts.closed === 0 && counts.failed === counts.stuck, told(counts));
  await peer.stop();
  // On a machine that does other work it takes longer than the command line gives itself to end.
  while (host.alive && host.descriptors > SPARE_FILES) await sleep(EVERY_MS);
  must((await host.stop()).code === 0, "the process lived");
}

function told({ closed, failed, stuck }: Counts): string {
  return `${closed} of the idle ones were closed, ${failed} never opened (${stuck} in time)`;
}

if (import.meta.main) {
  const { numbers: { count, seconds } } = scriptArgs({ count: 10_000, seconds: 30 });
  console.log(`${detectRuntime()}: ${count} idle HTTP/2 connections, ${seconds} s of attacks`);
  await idleH2({ count, seconds, patience: 1 }, must);
}
