/**
 * Attacks on HTTP/2 and gRPC at a running server, and the next client after each, on the runtime that
 * runs this:
 *
 *     deno run -A tests/soak/attacks.ts [--crowd 300]
 *     bun tests/soak/attacks.ts
 */
import { detectRuntime } from "../../lib/adapters/runtime.ts";
import { callBody, frame } from "../comms/grpc/frames.ts";
import { ATTACKS, BEGINNING } from "../comms/h2/attacks.ts";
import { bytes, frame as h2Frame, literal } from "../comms/h2/wire.ts";
import { concat } from "../encoding/rrd_builder.ts";
import { scriptArgs } from "../script_args.ts";
import { dialSystem, PROXY } from "../server/grpc_peer.ts";
import { closed, dial, Host, type Must, must, sleep, write } from "./host.ts";

const [KiB, MiB] = [1024, 1024 * 1024];

/** An attacker goes on for so long, and with so much, unless it is ended before. */
const ATTACK_MS = 4000;
const ATTACK_BYTES = 200 * MiB;
/** What the buffers of the system take, of what was never read. */
const ENDED_BYTES = 20 * MiB;

/** The next client is served in so many milliseconds. */
const SERVED_MS = 100;
/** What is held for all of them, by an option; memory may grow by so much more. */
const HELD_MIB = 32;
const GROWN_MIB = 64;
/** The same of a crowd, beside what each connection takes, and while all of them are at it. */
const CROWD_MIB = 128;
const CROWD_SERVED_MS = 5000;

/** An honest client's call, from connecting to its answer, in milliseconds. */
export async function served(port: number): Promise<number> {
  const start = performance.now();
  const peer = await dialSystem({ hostname: "127.0.0.1", port });
  const call = peer.call(`${PROXY}/WriteMessages`);
  await call.send(callBody("0.41.0"));
  call.stream.end();
  const [status, text] = await call.status;
  peer.cut();
  if (status !== 0) throw new Error(`the next client was told ${status}: ${text}`);
  return performance.now() - start;
}

/** The same, where a crowd may be in its way: it tries again, as whoever is told of a limit may. */
async function servedAtLast(port: number): Promise<number> {
  const start = performance.now();
  for (;;) {
    try {
      await served(port);
      return performance.now() - start;
    } catch (error) {
      if (performance.now() - start > ATTACK_MS) throw error;
    }
  }
}

/** Sends until it is ended. */
export async function attack(port: number, pieces: Iterable<Uint8Array>) {
  const socket = await dial(port);
  socket.on("error", () => {});
  const start = performance.now();
  let sent = 0;
  await write(socket, BEGINNING);
  for (const piece of pieces) {
    // One whose answers are not taken is not read: then its time ends it.
    const took = await Promise.race([write(socket, piece), sleep(ATTACK_MS).then(() => false)]);
    sent += took ? piece.length : 0;
    if (!took || sent > ATTACK_BYTES || performance.now() - start > ATTACK_MS) break;
    await sleep(0);
  }
  const isEnded = await Promise.race([closed(socket).then(() => true), sleep(1000)]) === true;
  socket.destroy();
  return { sent, isEnded, ms: performance.now() - start };
}

/**
 * Each attack by one connection.
 *
 * @param must is told what holds
 */
export async function attacks(must: Must): Promise<void> {
  const host = await Host.start(["--max-unfinished", `${HELD_MIB}MiB`]);
  for (let i = 0; i < 20; i++) await served(host.port);
  host.forgetPeak();
  const before = host.rssMiB;
  let slowest = 0;
  for (const [name, pieces] of Object.entries(ATTACKS)) {
    const { sent, isEnded, ms } = await attack(host.port, pieces());
    const next = await served(host.port);
    slowest = Math.max(slowest, next);
    must(
      isEnded && sent < ENDED_BYTES && next < SERVED_MS,
      `${name}: ${isEnded ? "ended" : "not ended"} after ${(sent / KiB).toFixed(0)} KiB and ` +
        `${ms.toFixed(0)} ms, the next client served in ${next.toFixed(0)} ms`,
    );
  }
  const grown = host.peakMiB - before;
  must(grown < GROWN_MIB, `memory grew by ${grown.toFixed(0)} MiB at the highest`);
  must((await host.stop()).code === 0, "the process lived");
}

/** A gRPC call's header fields. */
function call(method: string, ...fields: [string, string][]): Uint8Array {
  const path = `${PROXY}/${method}`;
  return bytes(
    ...[0x83, 0x86, 0x04, path.length, path],
    ...[["content-type", "application/grpc"], ["te", "trailers"], ...fields]
      .map(([name, value]) => literal(name!, value!)),
  );
}

/** So many zeros, gzipped. */
async function bomb(megabytes: number): Promise<Uint8Array> {
  let left = megabytes;
  const zeros = new ReadableStream<BufferSource>({
    pull: (controller) => left-- > 0 ? controller.enqueue(new Uint8Array(MiB)) : controller.close(),
  });
  const packed = zeros.pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

/** A call with a message of 200 KiB that inflates to 200 MiB, without what a connection begins with. */
export async function gzipBomb(): Promise<Uint8Array> {
  const data = frame(await bomb(200), 1);
  const zipped = [h2Frame(1, 4, 1, call("WriteMessages", ["grpc-encoding", "gzip"]))];
  for (let at = 0; at < data.length; at += 16 * KiB) {
    zipped.push(h2Frame(0, 0, 1, data.subarray(at, at + 16 * KiB)));
  }
  return concat(...zipped);
}

/** What each of a crowd sends, and leaves there. */
async function hoards(): Promise<Record<string, Uint8Array>> {
  const part = h2Frame(0, 0, 1, new Uint8Array(16 * KiB));
  const begins = frame(new Uint8Array(9)).subarray(0, 5);
  new DataView(begins.buffer).setUint32(1, 16 * MiB);
  const table = [h2Frame(1, 4, 1, call("WriteTable")), h2Frame(0, 0, 1, begins)];
  const many: [string, string][] = Array.from({ length: 100 }, (_, i) => [`${i}`, "y".repeat(100)]);
  const fields = call("WriteTable", ...many);
  return {
    "tables of which 1 MiB came": concat(BEGINNING, ...table, ...Array(64).fill(part)),
    "64 calls with 13 KiB of header fields each": concat(
      BEGINNING,
      ...Array.from({ length: 64 }, (_, i) => h2Frame(1, 4, 2 * i + 1, fields)),
    ),
    "header blocks that end before their end": concat(
      BEGINNING,
      h2Frame(1, 0, 1, fields),
      h2Frame(9, 0, 1, new Uint8Array(2000)).subarray(0, 1000),
    ),
    "messages of 200 KiB that inflate to 200 MiB": concat(BEGINNING, await gzipBomb()),
  };
}

/**
 * Many connections at once that leave something to be held.
 *
 * @param crowd how many
 * @param must is told what holds
 */
export async function hoarders(crowd: number, must: Must): Promise<void> {
  for (const [what, sent] of Object.entries(await hoards())) {
    const host = await Host.start(["--max-unfinished", `${HELD_MIB}MiB`]);
    for (let i = 0; i < 20; i++) await served(host.port);
    host.forgetPeak();
    const before = host.rssMiB;
    const sockets = [];
    for (let i = 0; i < crowd; i++) {
      const socket = await dial(host.port);
      socket.on("error", () => {});
      socket.write(sent);
      sockets.push(socket);
      if (i % 10 === 0) await sleep(10);
    }
    await sleep(1000);
    const next = await servedAtLast(host.port);
    const grown = host.peakMiB - before;
    must(
      grown < HELD_MIB + CROWD_MIB && next < CROWD_SERVED_MS,
      `${crowd} connections with ${what}: memory grew by ${grown.toFixed(0)} MiB at the highest, ` +
        `the next client served in ${next.toFixed(0)} ms`,
    );
    for (const socket of sockets) socket.destroy();
    must((await host.stop()).code === 0, "the process lived");
  }
}

if (import.meta.main) {
  const { numbers } = scriptArgs({ crowd: 300 });
  console.log(`${detectRuntime()}: attacks on HTTP/2, then ${numbers.crowd} connections at once`);
  await attacks(must);
  await hoarders(numbers.crowd, must);
}
