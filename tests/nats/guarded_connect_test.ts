/** Connections beside others that the program itself makes by the same client. */
import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import type { EventEmitter } from "node:events";
import { connect } from "@nats-io/transport-node";
import { guardedConnect } from "../../lib/nats/guarded_connect.ts";
import { NatsServer, noNats } from "./nats_server.ts";

/** Who listens to errors of a connection's socket once the client has taken its listeners off. */
function listenersLeft(connection: unknown): number {
  const { protocol } = connection as { protocol: { transport: { socket: EventEmitter } } };
  const { socket } = protocol.transport;
  const all = socket.rawListeners("error");
  socket.removeAllListeners("error");
  const left = socket.listenerCount("error");
  for (const listener of all) socket.on("error", listener as () => void);
  return left;
}

describe("guardedConnect", { skip: noNats }, () => {
  it("guards its own connection, also when it connects anew after others have connected", async () => {
    await using server = await NatsServer.start();
    const ours = await guardedConnect({ servers: server.url, reconnectTimeWait: 10 });
    try {
      assertEquals(listenersLeft(ours), 1);
      const theirs = await connect({ servers: server.url });
      assertEquals(listenersLeft(theirs), 0);
      const status = ours.status();
      await ours.reconnect();
      for await (const { type } of status) if (type === "reconnect") break;
      await theirs.close();
      assertEquals(listenersLeft(ours), 1);
      await ours.flush();
      assert(!ours.isClosed());
    } finally {
      await ours.close();
    }
  });
});
