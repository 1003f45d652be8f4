/** Clients that log and are cut off at random: `PORT SEED CLIENTS SECONDS`; tells what each sent. */
import process from "node:process";
import { concat, framed, HELLO } from "../encoding/rrd_builder.ts";
import { caseRandom } from "../random.ts";
import { ClientPackets } from "./client_packets.ts";
import { closed, dial, sleep, write } from "./host.ts";

/** What one connection sent. */
export interface Sent {
  connection: number;
  /** Packets that were written whole. */
  packets: number;
  /** A reset may lose what is on its way. */
  end: "fin" | "reset";
}

const [port, seed, clients, seconds] = process.argv.slice(2).map(Number) as [
  ...[number, number, number, number],
];
const end = performance.now() + seconds * 1000;
const sent: Sent[] = [];
let connections = 0;
let bytes = 0;

async function connection(random: () => number, number: number): Promise<void> {
  const packets = new ClientPackets(number, 15_000);
  const socket = await dial(port);
  const one: Sent = { connection: number, packets: 0, end: random() < 0.7 ? "fin" : "reset" };
  sent.push(one);
  let start: Uint8Array = HELLO;
  for (let left = 1 + Math.floor(random() * 120); left > 0; left--) {
    const packet = concat(start, framed(packets.next()));
    start = new Uint8Array(0);
    if (!await write(socket, packet)) throw new Error(`connection ${number} was cut off`);
    one.packets++;
    bytes += packet.length;
    if (random() < 0.5) await sleep(random() * 40);
    if (performance.now() > end) break;
  }
  const rest = concat(start, framed(packets.next()));
  // Anywhere inside the next packet, or exactly behind the last.
  const cut = rest.subarray(0, Math.floor(random() * rest.length));
  if (random() < 0.8 && cut.length > 0) await write(socket, cut);
  if (one.end === "fin") socket.end();
  else socket.resetAndDestroy();
  await closed(socket);
}

await Promise.all(Array.from({ length: clients }, async (_, client) => {
  const random = caseRandom(seed, client);
  while (performance.now() < end) {
    await connection(random, connections++);
    await sleep(random() * 200);
  }
}));
// So long a line must have left the process before it ends.
process.stdout.write(`${JSON.stringify({ sent, bytes })}\n`, () => process.exit());
