/** A server of a ring: it saves, and forwards what it saved to another that may send it back. */
import { memoryFiles } from "../../lib/adapters/files/memory_files.ts";
import { silentLog } from "../../lib/base/log.ts";
import { forwardTo } from "../../lib/forward/forward_to.ts";
import { grpcTarget } from "../../lib/forward/grpc_target.ts";
import type { MessageTarget } from "../../lib/forward/target.ts";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import { fromNats } from "../../lib/server/from_nats.ts";
import { KnownMessages } from "../../lib/server/known_messages.ts";
import { serve } from "../../lib/server/serve.ts";
import { rrdFileSink } from "../../lib/sinks/file/rrd_file.ts";
import { until } from "./until.ts";

/** Where a server sends, and what it reads. */
export interface Way {
  /** Where to send. */
  readonly to: (known: KnownMessages) => MessageTarget;
  /** A server of NATS to read, and the id under which it is sent to. */
  readonly from?: { readonly url: string; readonly own: string };
}

/** Forwards to a server at this port of this machine, by gRPC. */
export const byGrpc = (port: number) => (known: KnownMessages): MessageTarget =>
  grpcTarget({ hostname: "127.0.0.1", port, known });

/** Starts one; port 0 picks a free one. */
export async function startInRing(port: number, { to, from }: Way) {
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
