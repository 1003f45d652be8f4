/**
 * Clients that declare large packets and send little, on the runtime that runs this:
 *
 *     deno run -A tests/soak/liars.ts [--cases 1000]
 *     bun tests/soak/liars.ts
 */
import { detectRuntime } from "../../lib/adapters/runtime.ts";
import { concat, HELLO } from "../encoding/rrd_builder.ts";
import { scriptArgs } from "../script_args.ts";
import { closed, dial, Host, type Must, must, sleep, write } from "./host.ts";

const MIB = 1 << 20;
const AT_ONCE = 10;
/** Of the resident memory, over what it was before. */
const MAX_MIB = 64;
/** What a client sends that declares a packet of so many bytes. */
function declares(bytes: number, sent: number): Uint8Array {
  const start = concat(HELLO, new Uint8Array(4 + sent));
  new DataView(start.buffer).setUint32(HELLO.length, bytes, true);
  return start;
}

/**
 * Lets clients lie, one after the other.
 *
 * @param cases clients of each kind
 * @param must is told what holds
 */
export async function liars(cases: number, must: Must): Promise<void> {
  const host = await Host.start([]);
  const kinds = [
    { what: "declare 3.75 GiB and send 11 bytes", bytes: declares(3.75 * 2 ** 30, 0), stay: true },
    { what: "declare 400 MiB and send 1 MiB", bytes: declares(400 * MIB, MIB), stay: false },
  ];
  for (const { what, bytes, stay } of kinds) {
    host.forgetPeak();
    const before = host.rssMiB;
    let left = cases;
    let refused = 0;
    const worker = async () => {
      while (left-- > 0) {
        const socket = await dial(host.port);
        await write(socket, bytes);
        // The first kind must be cut off; the second may go on, so it ends by itself.
        if (!stay) socket.end();
        await Promise.race([closed(socket).then(() => refused++), sleep(5000)]);
        socket.destroy();
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    const grown = host.peakMiB - before;
    must(refused === cases, `${refused} of ${cases} that ${what} are closed at once`);
    must(grown < MAX_MIB, `memory grew by ${grown.toFixed(0)} MiB at the highest`);
  }
  must((await host.stop()).code === 0, "the process lived");

  const sent = declares(400 * MIB, MIB);
  await crowd(cases, sent, { args: ["--max-unfinished", "32MiB"], heldMiB: 32 }, must);
  // All of what they sent may be held.
  await crowd(cases, sent, { args: [], heldMiB: cases }, must);
}

/** Lets all of them stay at once; beside what the server may hold the same bound counts. */
async function crowd(
  cases: number,
  bytes: Uint8Array,
  { args, heldMiB }: { readonly args: readonly string[]; readonly heldMiB: number },
  must: Must,
): Promise<void> {
  const host = await Host.start(args);
  host.forgetPeak();
  const before = host.rssMiB;
  const sockets = [];
  for (let i = 0; i < cases; i++) {
    const socket = await dial(host.port);
    socket.write(bytes);
    sockets.push(socket);
    if (i % AT_ONCE === 0) await sleep(20);
  }
  await sleep(2000);
  const grown = host.peakMiB - before;
  const what = [`${cases} at once that stay`, ...args].join(" ");
  must(
    grown < heldMiB + MAX_MIB,
    `${what}: memory grew by ${grown.toFixed(0)} MiB at the highest, ${heldMiB} of them theirs`,
  );
  for (const socket of sockets) socket.destroy();
  await sleep(5000);
  const left = host.rssMiB - before;
  must(left < MAX_MIB, `${left.toFixed(0)} MiB of them are left when they have gone`);
  must((await host.stop()).code === 0, "the process lived");
}

if (import.meta.main) {
  const { numbers } = scriptArgs({ cases: 1000 });
  console.log(`${detectRuntime()}: ${numbers.cases} liars of each kind`);
  await liars(numbers.cases, must);
}
