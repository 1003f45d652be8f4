/**
 * How fast viewers get images: those that were there before, and as many that come when all is there;
 * from Rerelay, from Rerun's own server, and from a program that only writes to their sockets:
 *
 *     deno run -A tests/bench/viewers.ts [--rounds 5] [--viewers 10]
 *
 * The client sends as fast as it is taken, and the viewers, all in one process, throw away what they
 * get. Each must have had every message. Servers take turns.
 */
import process from "node:process";
import { scriptArgs } from "../script_args.ts";
import { machine } from "./machine.ts";
import { recording } from "./recordings.ts";
import { measureViewers } from "./viewers_runs.ts";
import { rerunSdk, SERVERS } from "./viewers_servers.ts";
import { type Row, viewersTable } from "./viewers_table.ts";

const { rounds, viewers } = scriptArgs({ rounds: 5, viewers: 10 }).numbers;
const stream = await recording("images");
const sdk = await rerunSdk();
const rows: Row[] = SERVERS.map((server) => ({ server, runs: [] }));
// The first fills caches.
for (let round = 0; round <= rounds; round++) {
  for (const { server, runs } of rows) {
    const run = await measureViewers(server, stream, viewers, sdk);
    if (round > 0) runs.push(run);
  }
}
const each = `${(stream.bytes / 1e6).toFixed(0)} MB in ${stream.messages} messages for each`;
console.log(await machine());
console.log(`${viewers} viewers of images, ${each}; median of ${rounds} (lowest–highest)`);
console.log(`\nthere before it was sent\n${viewersTable(rows, "live")}`);
console.log(`\nat once when all was there\n${viewersTable(rows, "late")}`);
process.exit();
