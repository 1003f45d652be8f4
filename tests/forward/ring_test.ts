/** Servers that forward to each other by NATS, or by NATS one way and gRPC the other: nothing goes round. */
import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { natsTarget } from "../../lib/forward/nats_target.ts";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import type { KnownMessages } from "../../lib/server/known_messages.ts";
import { callBody } from "../comms/grpc/frames.ts";
import { freePorts } from "../free_ports.ts";
import { fixture } from "../fixtures.ts";
import { grpcMessages } from "../grpc_frames.ts";
import { NatsServer, noNats } from "../nats/nats_server.ts";
import { capturedMessages } from "./batches.ts";
import { byGrpc, startInRing } from "./ring_server.ts";
import { sendByGrpc, sendByTcp } from "./send_all.ts";
import { until } from "./until.ts";

const nats = (url: string, box: string) => (known: KnownMessages) =>
  natsTarget({ url, box, instance: `instance-${box}`, known });

describe("servers in a ring", { skip: noNats, timeout: 120_000 }, () => {
  for (const name of ["0.41.0-mixed", "0.22.1-blueprint"]) {
    const msgs = name === "0.41.0-mixed" ? grpcMessages(name) : capturedMessages(name);
    const log = (port: number) =>
      name === "0.41.0-mixed"
        ? sendByGrpc(port, callBody("0.41.0"))
        : sendByTcp(port, fixture(`captures/${name}.bin`));

    it(`of one stream keep once what SDK ${name} logs`, async () => {
      await using there = await NatsServer.start();
      // One server by two names.
      const urls = [there.url, there.url.replace("127.0.0.1", "localhost")] as const;
      const [a, b] = await Promise.all(
        urls.map((url, i) =>
          startInRing(0, { to: nats(url, `${i}`), from: { url, own: `instance-${i}` } })
        ),
      );
      await log(a!.port);
      await until(() => b!.came.length === msgs.length);
      await settle(a!, b!);
      assertEquals([a!.came.length, b!.came.length], [msgs.length, msgs.length]);
      await Promise.all([a!.close(), b!.close()]);
    });

    it(`with NATS one way and gRPC the other keep once what SDK ${name} logs`, async () => {
      await using there = await NatsServer.start();
      const [port] = await freePorts(1);
      const { url } = there;
      const a = await startInRing(port!, { to: nats(url, "a") });
      const b = await startInRing(0, { to: byGrpc(port!), from: { url, own: "instance-b" } });
      await log(a.port);
      await until(() => b.came.length === msgs.length);
      await settle(a, b);
      // NATS has what SDK 0.22 and before logged as it came, and a server gets it in today's form: what has
      // no id is not known again there, and kept once more.
      const ids = msgs.map(idOf).filter((id) => id !== undefined);
      const again = a.came.slice(msgs.length);
      if (name.startsWith("0.41")) assertEquals(again, []);
      else assertEquals(again.filter((msg) => ids.includes(idOf(msg) ?? "")), []);
      const cameToB = b.came.length;
      await settle(a, b);
      assertEquals(b.came.length, cameToB);
      await Promise.all([a.close(), b.close()]);
    });
  }
});

const idOf = (msg: LogMsg) => msg.kind === "ArrowMsg" ? msg.chunkId?.toString() : undefined;

type Started = Awaited<ReturnType<typeof startInRing>>;

/** Resolves when nothing is under way any more. */
async function settle(...all: readonly Started[]): Promise<void> {
  const state = () => JSON.stringify(all.map(({ came, read }) => [came.length, read]));
  for (let before = ""; before !== state();) {
    before = state();
    for (const one of all) await one.sent();
    await until(() => all.every(({ read }) => read.rest === 0));
  }
}
