/**
 * Mutated connections to the running command line, while one honest client logs and saves:
 *
 *     deno run -A tests/fuzz/connections.ts [--cases 20000] [--at-once 100] [--seed S] [--case N]
 *     bun tests/fuzz/connections.ts
 *
 * All goes into one file, in which the honest client's messages are looked for. `--pattern 1` gives
 * each recording a file of its own; the latest static data of each is then kept in memory, up to
 * 128 MiB, so that later files open alone.
 */
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { Buffer } from "node:buffer";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { detectRuntime } from "../../lib/adapters/runtime.ts";
import { startChild } from "../contract/child.ts";
import { RrdDecoder } from "../../lib/encoding/rrd/rrd_decoder.ts";
import { RRD_HEADER_BYTES } from "../../lib/encoding/rrd_header.ts";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import { concat, framed, HELLO } from "../encoding/rrd_builder.ts";
import { ClientPackets, recordingId, savedFile } from "../soak/client_packets.ts";
import { dial, Host, must, sleep, write } from "../soak/host.ts";
import { scriptArgs } from "../script_args.ts";

/** The honest client's packets come in this pace. */
const HONEST_MS = 5;
/** Of the resident memory, above what it was before. */
const MAX_MIB = 32;
const MAX_KEPT_MIB = 128;
/** Garbage is given so long to be collected. */
const SETTLE_SEC = 60;

/** Before the memory is looked at first, so that all code has been loaded and compiled. */
const WARM_UP = 2000;

const { seed, only, numbers } = scriptArgs({ cases: 20_000, "at-once": 100, pattern: 0 });
const [from, to] = only === undefined ? [0, numbers.cases] : [only, only + 1];
const folder = await mkdtemp(join(tmpdir(), "rerelay-fuzz-"));
try {
  await run();
} finally {
  await rm(folder, { recursive: true, force: true });
}

async function run(): Promise<void> {
  console.log(`${detectRuntime()}: ${to - from} mutated connections, seed ${seed}`);
  const host = await Host.start([
    "--save",
    join(folder, numbers.pattern ? "{recording_id}.rrd" : "all.rrd"),
  ]);
  const honest = logAway(host.port);
  await sleep(1000);
  const idle = host.rssMiB;
  await storm(host, seed + 1, 0, WARM_UP);
  await sleep(5000);
  const before = host.rssMiB;
  const start = performance.now();
  const { highest, counts } = await storm(host, seed, from, to);
  if (counts !== undefined) {
    const seconds = (performance.now() - start) / 1000;
    const megabytes = (counts.bytes / 1e6).toFixed(0);
    console.log(`  ${counts.done} connections, ${megabytes} MB, ${seconds.toFixed(0)} s`);
    must(counts.refused === 0, `${counts.refused} could not connect`);
  }
  const sent = await honest.stop();
  must(host.alive, "the process lives");
  if (!host.alive) return console.log(host.said);

  const allowed = before + MAX_MIB + (numbers.pattern ? MAX_KEPT_MIB : 0);
  let after = host.rssMiB;
  for (let i = 0; i < SETTLE_SEC && after > allowed; i++) {
    await sleep(1000);
    after = host.rssMiB;
  }
  const memory = [idle, before, highest, after].map((mib) => mib.toFixed(0));
  must(
    after <= allowed,
    `memory at the start ${memory[0]} MiB, after ${WARM_UP} other connections ${memory[1]}, ` +
      `at the highest ${memory[2]}, afterwards ${memory[3]}`,
  );
  console.log(`  ${host.lines} log lines`);
  const { code, seconds } = await host.stop();
  must(code === 0, `ended with ${code} after ${seconds.toFixed(1)} s`);
  const [saved, expected] = numbers.pattern
    ? [await readFile(join(folder, `${recordingId(0)}.rrd`)), savedFile(sent)]
    : [ofHonest(await readFile(join(folder, "all.rrd"))), concat(...sent.map(messageOf))];
  must(
    Buffer.compare(saved, expected) === 0,
    `the honest client's ${sent.length} messages, ${saved.length} bytes, are saved as sent`,
  );
}

function messageOf(packet: Uint8Array): Uint8Array {
  return packet.subarray(RRD_HEADER_BYTES);
}

/** Its messages, out of a file of all. */
function ofHonest(file: Uint8Array): Uint8Array {
  const { items, error } = new RrdDecoder().push(file);
  if (error !== undefined) throw error;
  const own = items.filter((msg) => storeOf(msg) === recordingId(0));
  return concat(...own.map(({ encoded }) => encoded.bytes));
}

function storeOf(msg: LogMsg): string | undefined {
  if (msg.kind === "ArrowMsg") return msg.storeId.id;
  return msg.kind === "SetStoreInfo" ? msg.info.storeId.id : undefined;
}

interface Counts {
  done: number;
  bytes: number;
  refused: number;
  end?: true;
}

/** Makes these connections; without counts, if the process did not survive them. */
async function storm(host: Host, seed: number, from: number, to: number) {
  const args = [host.port, seed, from, to, numbers["at-once"]].map(String);
  const peer = startChild(new URL("connections_peer.ts", import.meta.url), args);
  let highest = 0;
  try {
    for (;;) {
      const counts = await peer.next<Counts>();
      if (!host.alive) return { highest };
      highest = Math.max(highest, host.rssMiB);
      if (counts.end) return { highest, counts };
    }
  } finally {
    await peer.stop();
  }
}

/** Logs packet after packet until it is told to stop, and gives back what it sent. */
function logAway(port: number): { stop: () => Promise<Uint8Array[]> } {
  let stopping = false;
  const sent: Uint8Array[] = [];
  const done = (async () => {
    const packets = new ClientPackets(0);
    const socket = await dial(port);
    await write(socket, HELLO);
    while (!stopping) {
      const packet = packets.next();
      sent.push(packet);
      if (!await write(socket, framed(packet))) throw new Error("the honest client was cut off");
      await sleep(HONEST_MS);
    }
    socket.end();
    await new Promise((resolve) => socket.once("close", resolve));
  })();
  done.catch(() => {});
  return {
    stop: async () => {
      stopping = true;
      await done;
      return sent;
    },
  };
}
