/**
 * Where memory is used again, nobody may find other bytes in a message than those that were sent:
 * not who receives it, nor the file, nor viewers, early or late.
 */
import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import type { MessageSource } from "../lib/flow/channel/smart_message.ts";
import { isReused } from "../lib/memory/buffer_pool.ts";
import { fanOut, memoryFiles, rrdFileSink, type Sink } from "../lib/sinks/mod.ts";
import type { Viewer } from "../lib/viewers/mod.ts";
import { viewerHub } from "../lib/viewers/hub.ts";
import { RrdDecoder } from "../lib/encoding/rrd/rrd_decoder.ts";
import { type LogMsg, serve, silentLog } from "../mod.ts";
import { dialSystem } from "./contract/tcp_clients.ts";
import {
  arrowMsg,
  concat,
  Entries,
  framed,
  HELLO,
  rrdHeader,
  rrdMessage,
} from "./encoding/rrd_builder.ts";
import { sha256 } from "./fixtures.ts";
import { seeded } from "./random.ts";

const CLIENTS = 3;
const MESSAGES = 400;
const TIMEPOINT = new Entries([[{ name: "frame", typ: "Sequence" }, 7]]);

/** Messages of one client, all different: mostly small, some larger than any read. */
function messagesOf(client: number): Uint8Array<ArrayBuffer>[] {
  const random = seeded(client);
  return Array.from({ length: MESSAGES }, (_, i) => {
    const large = random() < 0.05 ? 1_500_000 : 0;
    const data = 1 + Math.floor(random() ** 3 * (large || 6000));
    const msg = rrdMessage(
      arrowMsg(i % 50 === 0 ? new Entries([]) : TIMEPOINT, { id: `rec ${client}`, data }),
    );
    for (let at = msg.length - data; at < msg.length; at += 97) {
      msg[at] = Math.floor(random() * 256);
    }
    return msg;
  });
}

const digests = (msgs: readonly LogMsg[]) => msgs.map(({ encoded }) => sha256(encoded.bytes));

/** Sorted by client, in the order they came. */
function byRecording(msgs: readonly LogMsg[]): string[][] {
  const ofAll = Array.from({ length: CLIENTS }, () => [] as LogMsg[]);
  for (const msg of msgs) {
    if (msg.kind === "ArrowMsg") ofAll[Number(msg.storeId.id.slice(4))]!.push(msg);
  }
  return ofAll.map(digests);
}

async function takeAll(viewer: Viewer, into: LogMsg[]): Promise<void> {
  for (;;) {
    const msgs = await viewer.next(1024 * 1024);
    if (msgs === undefined) return;
    into.push(...msgs);
  }
}

async function send(port: number, msgs: readonly Uint8Array[]): Promise<void> {
  const client = await dialSystem({ hostname: "127.0.0.1", port });
  await client.write(concat(HELLO, ...msgs.map((msg) => framed(concat(rrdHeader(), msg)))));
  await client.end();
}

describe("a server that uses memory again", () => {
  it("gives receivers, files and viewers the bytes that were sent", async () => {
    const sent = Array.from({ length: CLIENTS }, (_, client) => messagesOf(client));
    const files = memoryFiles();
    const file = await rrdFileSink({ path: "a.rrd", files });
    const hub = viewerHub({ relayCorrupt: true });
    const early: LogMsg[] = [];
    const viewing = takeAll(hub.join(), early);
    const received = new Map<MessageSource, string[]>();
    let reused = 0;
    let left = 0;
    const checker: Sink = {
      name: "checker",
      async write(batch) {
        // Others read on meanwhile: what they read must not get in here.
        await new Promise((resolve) => setTimeout(resolve, 0));
        for (const { source, payload } of batch) {
          if (payload.type === "quit") {
            left++;
            continue;
          }
          const { bytes } = payload.msg.encoded;
          if (isReused(bytes)) reused++;
          received.set(source, [...received.get(source) ?? [], sha256(bytes)]);
        }
        if (left === CLIENTS) await server.close();
      },
      close: () => Promise.resolve(),
    };
    const server = await serve({ port: 0, log: silentLog, reuseBuffers: true });
    const receiving = fanOut([checker, file, hub]);
    const sending = sent.map((msgs) => send(server.addr.port, msgs));
    await receiving.receive(server.batches());
    await Promise.all(sending);
    const late: LogMsg[] = [];
    const lateViewing = takeAll(hub.join({ order: "arrival" }), late);
    await receiving.close();
    await Promise.all([viewing, lateViewing]);

    const expected = sent.map((msgs) => msgs.map(sha256));
    assertEquals(new Set(received.values()), new Set(expected));
    assertEquals(byRecording(early), expected);
    assertEquals(byRecording(late), expected);
    const { items, error } = new RrdDecoder().push(files.read("a.rrd")!);
    assertEquals([byRecording(items), error], [expected, undefined]);
    assert(reused > MESSAGES / 10, `only ${reused} messages lay in memory that is used again`);
  });
});
