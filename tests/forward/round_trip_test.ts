/** Servers that forward to each other: nothing goes round. */
import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { memoryFiles } from "../../lib/adapters/files/memory_files.ts";
import { silentLog } from "../../lib/base/log.ts";
import { forwardTo } from "../../lib/forward/forward_to.ts";
import { grpcTarget } from "../../lib/forward/grpc_target.ts";
import { KnownMessages } from "../../lib/server/known_messages.ts";
import { serve } from "../../lib/server/serve.ts";
import { rrdFileSink } from "../../lib/sinks/file/rrd_file.ts";
import { callBody } from "../comms/grpc/frames.ts";
import { fixture } from "../fixtures.ts";
import { freePorts } from "../free_ports.ts";
import { grpcMessages } from "../grpc_frames.ts";
import { capturedMessages } from "./batches.ts";
import { sendByGrpc, sendByTcp } from "./send_all.ts";
import { until } from "./until.ts";

/** A server that saves, and forwards what it saved. */
async function start(port: number, other: number) {
  const known = new KnownMessages();
  const server = await serve({ port, log: silentLog, reuseBuffers: true, known });
  const files = memoryFiles();
  const forwarder = forwardTo(grpcTarget({ hostname: "127.0.0.1", port: other, known }), {
    random: () => 0,
  });
  const sink = await rrdFileSink({
    ...{ path: "{recording_id}-{part}.rrd", files, log: silentLog, followers: [forwarder] },
  });
  let came = 0;
  const receiving = (async () => {
    for await (const batch of server.batches()) {
      await sink.write(batch);
      came += batch.filter(({ payload }) => payload.type === "msg").length;
    }
  })();
  return {
    /** How many messages came. */
    get came() {
      return came;
    },
    async close() {
      await server.close();
      await receiving;
      await sink.close();
    },
    /** Resolves when all that came is acknowledged by the other one. */
    async sent() {
      await sink.confirm()();
      await until(() => forwarder.stats.lagBytes === 0);
    },
  };
}

describe("two servers that forward to each other", { timeout: 60_000 }, () => {
  for (const name of ["0.41.0-mixed", "0.22.1-mixed", "0.22.1-blueprint", "0.17.0-mixed"]) {
    it(`have what SDK ${name} logs once, and send nothing round`, async () => {
      const [one, two] = await freePorts(2);
      const [a, b] = [await start(one!, two!), await start(two!, one!)];
      const isNew = name === "0.41.0-mixed";
      const count = (isNew ? grpcMessages(name) : capturedMessages(name)).length;
      if (isNew) await sendByGrpc(one!, callBody("0.41.0"));
      else await sendByTcp(one!, fixture(`captures/${name}.bin`));
      await until(() => a.came === count);
      await a.sent();
      assert(b.came >= count);
      const cameToB = b.came;
      // B sends back all that it has, of which A keeps nothing, so that there is no end of it.
      await b.sent();
      await a.sent();
      await Promise.all([a.close(), b.close()]);
      assertEquals([a.came, b.came], [count, cameToB]);
    });
  }
});
