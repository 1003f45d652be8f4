/** The server as the command line runs it, but for any number of clients; tells its memory when asked. */
import process from "node:process";
import { serve, silentLog } from "../../mod.ts";
import { heard, residentKiB, say } from "../contract/child.ts";

await using server = await serve({ port: 0, log: silentLog, maxClients: Number(process.argv[2]) });
say({ port: server.addr.port });
(async () => {
  for await (const _ of server.batches());
})();
for await (const _question of heard()) {
  const { open } = server.stats.connections;
  say({ open, bytes: 0, rssKiB: residentKiB("VmRSS") });
}
