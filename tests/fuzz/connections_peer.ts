/** Makes mutated connections to a port, many at a time: `PORT SEED FROM TO AT_ONCE`; tells how far it is. */
import { connect } from "node:net";
import process from "node:process";
import { say } from "../contract/child.ts";
import { caseRandom } from "../random.ts";
import { sleep, write } from "../soak/host.ts";
import { connectionMutant } from "./connection_mutants.ts";

/** One that is left to the server is closed after this all the same. */
const WAIT_MS = 300;

const [port, seed, from, to, atOnce] = process.argv.slice(2).map(Number) as [
  ...[number, number, number, number, number],
];
const counts = { done: 0, bytes: 0, refused: 0 };
let next = from;

/** One connection, to its end; whatever happens to it is what it is for. */
async function run(index: number): Promise<void> {
  const { pieces, waits, end } = connectionMutant(caseRandom(seed, index));
  const socket = connect(port, "127.0.0.1");
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  const connected = await Promise.race([
    new Promise<boolean>((resolve) => socket.once("connect", () => resolve(true))),
    new Promise<boolean>((resolve) => socket.on("error", () => resolve(false))),
  ]);
  if (!connected) counts.refused++;
  socket.resume();
  for (const [i, piece] of pieces.entries()) {
    if (waits[i]! > 0) await sleep(waits[i]!);
    if (!await write(socket, piece)) break;
    counts.bytes += piece.length;
  }
  if (end === "fin") socket.end();
  else if (end === "reset") socket.resetAndDestroy();
  await Promise.race([closed, sleep(WAIT_MS)]);
  socket.destroy();
  counts.done++;
  if (counts.done % 500 === 0) say(counts);
}

async function worker(): Promise<void> {
  while (next < to) await run(next++);
}

await Promise.all(Array.from({ length: atOnce }, worker));
say({ ...counts, end: true });
process.exit();
