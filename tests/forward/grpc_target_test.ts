import { describe, it } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import { grpcTarget } from "../../lib/forward/grpc_target.ts";
import { type ForwardBatch, TargetRefused } from "../../lib/forward/target.ts";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import { serve } from "../../lib/server/serve.ts";
import type { ServeOptions } from "../../lib/server/options.ts";
import { silentLog } from "../../lib/base/log.ts";
import { decodeRrdHeader } from "../../lib/encoding/rrd_header.ts";
import { announcement, chunk, told } from "./chunks.ts";

const SIGNAL = new AbortController().signal;

function batchOf(...msgs: LogMsg[]): ForwardBatch {
  const messages = msgs.map((msg, number) => ({
    ...{ number, msg, application: "robot", recording: "a" },
  }));
  return { file: "f", messages, bytes: 1 };
}

/** A server that notes what chunks tell it. */
async function receiver(
  confirm?: () => () => Promise<void>,
  limits: Pick<ServeOptions, "maxMessageBytes"> = {},
) {
  const server = await serve({ port: 0, log: silentLog, ...limits, ...(confirm && { confirm }) });
  const taken: string[] = [];
  const receiving = (async () => {
    for await (const { payload } of server) {
      if (payload.type === "msg") taken.push(told(payload.msg) ?? payload.msg.kind);
    }
  })();
  return {
    ...{ taken, port: server.addr.port },
    async [Symbol.asyncDispose]() {
      await server.close();
      await receiving;
    },
  };
}

describe("grpcTarget", () => {
  it("sends a batch, which the server has when it is acknowledged", async () => {
    await using server = await receiver();
    const target = grpcTarget({ hostname: "127.0.0.1", port: server.port });
    await target.send(batchOf(announcement("a"), chunk("a", 0), chunk("a", 1)), SIGNAL);
    assertEquals(server.taken, ["SetStoreInfo", "a 0", "a 1"]);
    await target.send(batchOf(chunk("a", 2, true)), SIGNAL);
    assertEquals(server.taken.at(-1), "a 2");
    await target.close();
  });

  it("is not acknowledged before the server says that it is kept", async () => {
    const kept = Promise.withResolvers<void>();
    let asked = 0;
    await using server = await receiver(() => () => (asked++, kept.promise));
    const target = grpcTarget({ hostname: "127.0.0.1", port: server.port });
    let isAcked = false;
    const sending = target.send(batchOf(chunk("a", 0)), SIGNAL).then(() => isAcked = true);
    while (asked === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    assertEquals([server.taken, isAcked], [["a 0"], false]);
    kept.resolve();
    await sending;
    await target.close();
  });

  it("may send a chunk again: a Rerelay takes it once, for each recording", async () => {
    await using server = await receiver();
    const target = grpcTarget({ hostname: "127.0.0.1", port: server.port });
    const twice = batchOf(chunk("a", 0), chunk("a", 1));
    await target.send(twice, SIGNAL);
    await target.send(twice, SIGNAL);
    await target.send(batchOf(chunk("a", 1), chunk("a", 2), chunk("b", 1)), SIGNAL);
    assertEquals(server.taken, ["a 0", "a 1", "a 2", "b 1"]);
    await target.close();
  });

  it("sends again what could not be kept, which is taken then", async () => {
    let isFull = true;
    const confirm = () => () => isFull ? Promise.reject(new Error("no space")) : Promise.resolve();
    await using server = await receiver(confirm);
    const target = grpcTarget({ hostname: "127.0.0.1", port: server.port });
    await assertRejects(() => target.send(batchOf(chunk("a", 0)), SIGNAL), Error, "no space");
    isFull = false;
    await target.send(batchOf(chunk("a", 0)), SIGNAL);
    assertEquals(server.taken, ["a 0", "a 0"]);
    await target.close();
  });

  it("refuses tables of SDK 0.16 and before, without asking the server", async () => {
    const target = grpcTarget({ hostname: "127.0.0.1", port: 1 });
    const header = decodeRrdHeader(
      Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 15, 1, 0, 0, 1, 0, 0),
    );
    const table: LogMsg = {
      ...{ kind: "UnknownMsg", name: "x", encoded: { header, bytes: new Uint8Array(20) } },
    };
    const error = await assertRejects(() => target.send(batchOf(table), SIGNAL), TargetRefused);
    assertEquals(error.scope, "batch");
    await target.close();
  });

  it("refuses for good what is larger than the server takes, and goes on", async () => {
    await using server = await receiver(undefined, { maxMessageBytes: 100 });
    const target = grpcTarget({ hostname: "127.0.0.1", port: server.port });
    const large = target.send(batchOf(chunk("a", 0)), SIGNAL);
    const { scope } = await assertRejects(() => large, TargetRefused, "maxMessageBytes");
    assertEquals(scope, "batch");
    await target.send(batchOf(announcement("a")), SIGNAL);
    assertEquals(server.taken, ["SetStoreInfo"]);
    await target.close();
  });

  it("fails where no server is, and works once there is one", async () => {
    const { port } = await receiver().then(async (server) => {
      await server[Symbol.asyncDispose]();
      return server;
    });
    const target = grpcTarget({ hostname: "127.0.0.1", port });
    await assertRejects(() => target.check!(SIGNAL), Error, "ECONNREFUSED");
    await assertRejects(() => target.send(batchOf(chunk("a", 0)), SIGNAL), Error);
    const server = await serve({ port, log: silentLog });
    await target.check!(SIGNAL);
    const receiving = server.batches().next();
    const sending = target.send(batchOf(chunk("a", 0)), SIGNAL).catch(() => {}); // its end cuts it
    assertEquals((await receiving).value?.[0].payload.type, "msg");
    await server.close();
    await target.close();
    await sending;
  });

  it("gives up a server that takes nothing and does not answer", async () => {
    const never = new Promise<void>(() => {});
    const server = await serve({ port: 0, log: silentLog, confirm: () => () => never });
    const receiving = server.batches().next();
    const options = { hostname: "127.0.0.1", port: server.addr.port, timeoutMs: 200 };
    const target = grpcTarget(options);
    const sending = target.send(batchOf(chunk("a", 0)), SIGNAL);
    await assertRejects(() => sending, Error, "has not answered for 0.2 s");
    await receiving;
    await target.close();
    await server.close();
  });
});
