/** One side of the measurement of NATS, as a process of its own: `ROLE URL KIND SECONDS`. */
import process from "node:process";
import { KnownMessages, memoryTcp, Server, silentLog } from "../../mod.ts";
import type { LogMsg } from "../../mod.ts";
import { natsTarget } from "../../lib/forward/nats_target.ts";
import { connectNats } from "../../lib/nats/connection.ts";
import { ensureStream, STREAM } from "../../lib/nats/stream.ts";
import { fromNats } from "../../lib/server/from_nats.ts";
import { batchOf, capturedMessages, numbered } from "../forward/batches.ts";

const [role, url = "", kind = "small", seconds = "5"] = process.argv.slice(2);
const RECORDINGS = Number(process.env["RECORDINGS"] ?? 4);
const MIB = 1024 * 1024;
/** The image of a camera, as it was said of the first try. */
const IMAGE_BYTES = 900_000;
/** A bare publisher has so many messages under way. */
const WINDOW_BYTES = 32 * MIB;

const captured = capturedMessages("0.22.1-mixed");
const small = captured.filter(({ encoded: { bytes } }) =>
  bytes.length < 4000 && bytes.length > 2000
);
const never = new AbortController().signal;

/** A message that says it is longer: what is measured looks at its envelope alone. */
function inflated(msg: LogMsg, bytes: number): LogMsg {
  const padded = new Uint8Array(bytes);
  padded.set(msg.encoded.bytes);
  return { ...msg, encoded: { ...msg.encoded, bytes: padded } } as LogMsg;
}

function report(bytes: number, messages: number, ms: number): void {
  console.log(
    JSON.stringify({
      role,
      bytes,
      messages,
      mbPerSec: bytes / 1e3 / ms,
      perSec: messages / ms * 1e3,
    }),
  );
}

async function barePublisher(): Promise<void> {
  const nats = await connectNats({ url, clientName: "bench" });
  await ensureStream(nats.manager, { replicas: 1, log: silentLog });
  const size = kind === "small" ? small[0]!.encoded.bytes.length : IMAGE_BYTES;
  const payload = kind === "batched" ? new Uint8Array(512 * 1024) : new Uint8Array(size);
  const window = Math.floor(WINDOW_BYTES / payload.length);
  const start = performance.now();
  const end = start + Number(seconds) * 1000;
  let sent = 0;
  const lane = async (i: number) => {
    while (performance.now() < end) {
      await nats.client.publish(`rerelay.box.app.r${i % RECORDINGS}`, payload);
      sent++;
    }
  };
  await Promise.all(Array.from({ length: Math.min(window, 2000) }, (_, i) => lane(i)));
  report(sent * payload.length, sent, performance.now() - start);
  await nats.connection.close();
}

async function bareConsumer(): Promise<void> {
  const nats = await connectNats({ url, clientName: "bench" });
  await ensureStream(nats.manager, { replicas: 1, log: silentLog });
  const consumer = await nats.client.consumers.get(STREAM);
  const messages = await consumer.consume({ max_bytes: 8 * MIB });
  let [bytes, count, first, last] = [0, 0, 0, 0];
  const stop = setInterval(() => {
    if (count > 0 && performance.now() - last > 1500) void messages.stop();
  }, 100);
  for await (const message of messages) {
    first ||= performance.now();
    last = performance.now();
    bytes += message.data.length;
    count++;
  }
  clearInterval(stop);
  report(bytes, count, last - first);
  await nats.connection.close();
}

async function box(): Promise<void> {
  const known = new KnownMessages(); // as the command line has it
  const target = natsTarget({ url, box: "box", instance: crypto.randomUUID(), known });
  const template = captured.find(({ encoded }) => encoded.bytes.length > 30_000)!;
  const image = kind === "images" ? inflated(template, IMAGE_BYTES) : template;
  const start = performance.now();
  const end = start + Number(seconds) * 1000;
  let [bytes, count] = [0, 0];
  const recording = async (i: number) => {
    const file = crypto.randomUUID();
    let number = 0;
    // As many as the forwarder reads for one batch: more would be a second, small publish.
    const many: LogMsg[] = [];
    let left = target.limits.maxBytes;
    for (let at = 0;; at++) {
      const next = small[at % small.length]!;
      left -= next.encoded.bytes.length;
      if (left < 0) break;
      many.push(next);
    }
    while (performance.now() < end) {
      const msgs = kind === "images" ? [image] : many;
      const messages = numbered(msgs, number).map((one) => ({ ...one, recording: `r${i}` }));
      number += msgs.length;
      const batch = batchOf(file, messages);
      await target.send(batch, never);
      bytes += batch.bytes;
      count += msgs.length;
    }
  };
  await Promise.all(Array.from({ length: RECORDINGS }, (_, i) => recording(i)));
  report(bytes, count, performance.now() - start);
  await target.close();
}

async function middle(): Promise<void> {
  const server = await Server.listen(memoryTcp(), { log: silentLog, reuseBuffers: true });
  const feed = fromNats({ url });
  server.join(feed);
  let [bytes, count, first, last] = [0, 0, 0, 0];
  const stop = setInterval(() => {
    if (count > 0 && performance.now() - last > 1500) void server.close();
  }, 100);
  for await (const batch of server.batches()) {
    const now = performance.now();
    for (const { payload } of batch) {
      // The box's leave, at the end, comes long after its last message.
      if (payload.type !== "msg") continue;
      first ||= now;
      last = now;
      bytes += kind === "images" ? IMAGE_BYTES : payload.msg.encoded.bytes.length;
      count++;
    }
    feed.received(batch);
  }
  clearInterval(stop);
  report(bytes, count, last - first);
}

const roles: Record<string, () => Promise<void>> = {
  "bare-publisher": barePublisher,
  "bare-consumer": bareConsumer,
  box,
  middle,
};
await roles[role!]!();
process.exit(0);
