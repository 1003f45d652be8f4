/** Receives message by message, and says how old each was when the loop got it, in microseconds. */
import { serve, silentLog } from "../../mod.ts";
import { say } from "../contract/child.ts";
import { clock } from "./clock.ts";

await using server = await serve({ port: 0, log: silentLog });
say({ port: server.addr.port });
const ages: number[] = [];
for await (const { payload } of server) {
  if (payload.type === "quit") break;
  const { msg } = payload;
  if (msg.kind !== "ArrowMsg") continue;
  const [sent] = msg.timepointMax!;
  ages.push(clock() * 1e6 - Number(sent!.time));
}
say({ ages });
