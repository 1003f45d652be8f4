/** Servers that forward to each other by NATS, or by NATS one way and gRPC the other: nothing goes round. */
import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { memoryFiles } from "../../lib/adapters/files/memory_files.ts";
import { silentLog } from "../../lib/base/log.ts";
import { forwardTo } from "../../lib/forward/forward_to.ts";
import { grpcTarget } from "../../lib/forward/grpc_target.ts";
import { natsTarget } from "../../lib/forward/nats_target.ts";
import type { MessageTarget } from "../../lib/forward/target.ts";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import { fromNats } from "../../lib/server/from_nats.ts";
import { KnownMessages } from "../../lib/server/known_messages.ts";
import { serve } from "../../lib/server/serve.ts";
import { rrdFileSink } from "../../lib/sinks/file/rrd_file.ts";
import { callBody } from "../comms/grpc/frames.ts";
import { freePorts } from "../free_ports.ts";
import { fixture } from "../fixtures.ts";
import { grpcMessages } from "../grpc_frames.ts";
import { NatsServer, noNats } from "../nats/nats_server.ts";
import { capturedMessages } from "./batches.ts";
import { sendByGrpc, sendByTcp } from "./send_all.ts";
import { until } from "./until.ts";

interface Way {
  /** Where to send. */
  readonly to: (known: KnownMessages) => MessageTarget;
  /** A server of NATS to read, and the id under which it is sent to. */
  readonly from?: { readonly url: string; readonly own: string };
}

/** A server that saves, forwards what it saved, and may read NATS. */
async function start(port: number, { to, from }: Way) {
  const known = new KnownMessages();
  const server = await serve({ port, log: silentLog, reuseBuffers: true, known });
  const files = memoryFiles();
  const forwarder = forwardTo(to(known), { random: () => 0 });
  const sink = await rrdFileSink({
    ...{ path: "{recording_id}-{part}.rrd", files, log: silentLog, followers: [forwarder] },
  });
  const feed = from && fromNats({ ...from, log: silentLog });
  if (feed !== undefined) server.join(feed);
  const came: LogMsg[] = [];
  const receiving = (async () => {
    for await (const batch of server.batches()) {
      await sink.write(batch);
      for (const { payload } of batch) if (payload.type === "msg") came.push(payload.msg);
      feed?.received(batch);
    }
  })();
  return {
    came,
    port: server.addr.port,
    /** Of the stream. */
    get read() {
      const { position = 0, pending = 0, underWay = 0 } = feed?.stats ?? {};
      return { position, rest: pending + underWay };
    },
    async close() {
      await server.close();
      await receiving;
      await sink.close();
    },
    /** Resolves when all that came is acknowledged by the target. */
    async sent() {
      await sink.confirm()();
      await until(() => forwarder.stats.lagBytes === 0);
    },
  };
}

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
          start(0, { to: nats(url, `${i}`), from: { url, own: `instance-${i}` } })
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
      const a = await start(port!, { to: nats(url, "a") });
      const to = (known: KnownMessages) =>
        grpcTarget({ hostname: "127.0.0.1", port: port!, known });
      const b = await start(0, { to, from: { url, own: "instance-b" } });
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

type Started = Awaited<ReturnType<typeof start>>;

/** Resolves when nothing is under way any more. */
async function settle(...all: readonly Started[]): Promise<void> {
  const state = () => JSON.stringify(all.map(({ came, read }) => [came.length, read]));
  for (let before = ""; before !== state();) {
    before = state();
    for (const one of all) await one.sent();
    await until(() => all.every(({ read }) => read.rest === 0));
  }
}
