/** A server as the command line has it, that counts, and says when each client has left. */
import { serve, silentLog } from "../../mod.ts";
import { say } from "../contract/child.ts";
import { clock } from "./clock.ts";

await using server = await serve({ port: 0, log: silentLog, reuseBuffers: true });
say({ port: server.addr.port });
let messages = 0;
for await (const batch of server.batches()) {
  for (const { payload } of batch) {
    if (payload.type === "msg") messages++;
    else say({ at: clock(), messages });
  }
}
