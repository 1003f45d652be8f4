/** Servers that forward to each other: nothing goes round. */
import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { callBody } from "../comms/grpc/frames.ts";
import { fixture } from "../fixtures.ts";
import { freePorts } from "../free_ports.ts";
import { grpcMessages } from "../grpc_frames.ts";
import { capturedMessages } from "./batches.ts";
import { byGrpc, startInRing } from "./ring_server.ts";
import { sendByGrpc, sendByTcp } from "./send_all.ts";
import { until } from "./until.ts";

describe("two servers that forward to each other", { timeout: 60_000 }, () => {
  for (const name of ["0.41.0-mixed", "0.22.1-mixed", "0.22.1-blueprint", "0.17.0-mixed"]) {
    it(`have what SDK ${name} logs once, and send nothing round`, async () => {
      const [one, two] = await freePorts(2);
      const a = await startInRing(one!, { to: byGrpc(two!) });
      const b = await startInRing(two!, { to: byGrpc(one!) });
      const isNew = name === "0.41.0-mixed";
      const count = (isNew ? grpcMessages(name) : capturedMessages(name)).length;
      if (isNew) await sendByGrpc(one!, callBody("0.41.0"));
      else await sendByTcp(one!, fixture(`captures/${name}.bin`));
      await until(() => a.came.length === count);
      await a.sent();
      assert(b.came.length >= count);
      const cameToB = b.came.length;
      // B sends back all that it has, of which A keeps nothing, so that there is no end of it.
      await b.sent();
      await a.sent();
      await Promise.all([a.close(), b.close()]);
      assertEquals([a.came.length, b.came.length], [count, cameToB]);
    });
  }
});
