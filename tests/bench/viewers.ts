/**
 * How fast viewers get images: those that were there before, and as many that come when all is there;
 * from Rerelay, from Rerun's own server, and from a program that only writes to their sockets:
 *
 *     deno run -A tests/bench/viewers.ts [--rounds 5] [--viewers 10] [--servers deno,bun]
 *       [--before FOLDER]
 *
 * The client sends as fast as it is taken, and the viewers, all in one process, throw away what they
 * get. Each must have had every message. Servers take turns; with a folder of an earlier Rerelay, that one too.
 */
import process from "node:process";
import { parseArgs } from "@std/cli";
import { machine } from "./machine.ts";
import { recording } from "./recordings.ts";
import { measureViewers } from "./viewers_runs.ts";
import { rerunSdk, SERVERS } from "./viewers_servers.ts";
import { type Row, viewersTable } from "./viewers_table.ts";

const args = parseArgs(process.argv.slice(2), {
  string: ["rounds", "viewers", "before", "servers"],
});
const [rounds, viewers] = [Number(args["rounds"] ?? 5), Number(args["viewers"] ?? 10)];
const before = args["before"] as string | undefined;
const chosen = String(args["servers"] ?? SERVERS.join()).split(",");
const servers = SERVERS.filter((server) =>
  chosen.includes(server) && (before !== undefined || !server.endsWith("before"))
);
const stream = await recording("images");
const sdk = await rerunSdk();
const rows: Row[] = servers.map((server) => ({ server, runs: [] }));
// The first fills caches.
for (let round = 0; round <= rounds; round++) {
  for (const { server, runs } of rows) {
    const run = await measureViewers(server, stream, viewers, sdk, before);
    if (round > 0) runs.push(run);
  }
}
const each = `${(stream.bytes / 1e6).toFixed(0)} MB in ${stream.messages} messages for each`;
console.log(await machine());
console.log(`${viewers} viewers of images, ${each}; median of ${rounds} (lowest–highest)`);
console.log(`\nthere before it was sent\n${viewersTable(rows, "live")}`);
console.log(`\nat once when all was there\n${viewersTable(rows, "late")}`);
process.exit();
