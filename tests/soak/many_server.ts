/** Receives many clients by the library, and tells of each connection what came of it. */
import { serve, silentLog } from "../../mod.ts";
import { heard, say } from "../contract/child.ts";

/** What came over one connection, so far. */
interface Received {
  connection: number;
  messages: number;
  /** Whether each was the one after the last, beginning with the first. */
  inOrder: boolean;
}

const server = await serve({ port: 0, log: silentLog });
const open = new Map<number, Received>();
const left: Received[] = [];
say({ port: server.addr.port });

const receiving = (async () => {
  for await (const batch of server.batches()) {
    for (const { source, payload } of batch) {
      let received = open.get(source.id);
      if (received === undefined) {
        received = { connection: -1, messages: 0, inOrder: true };
        open.set(source.id, received);
      }
      if (payload.type === "quit") {
        open.delete(source.id);
        left.push(received);
        continue;
      }
      const { msg } = payload;
      const announcements = 2;
      if (msg.kind === "ArrowMsg") {
        const { timeNs, inc } = msg.chunkId!;
        received.connection = Number(timeNs);
        if (Number(inc) !== received.messages - announcements) received.inOrder = false;
      } else if (msg.kind === "SetStoreInfo") {
        received.connection = Number(msg.info.storeId.id.slice(3));
        if (received.messages >= announcements) received.inOrder = false;
      } else received.inOrder = false;
      received.messages++;
    }
  }
})();

for await (const _ of heard()) {
  await server.close({ drainMs: 5000 });
  await receiving;
  say({ left, still: open.size });
  break;
}
