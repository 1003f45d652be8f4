/**
 * Sends the packets of a stream as WebSocket frames to viewers, each as fast as it takes them, with
 * nothing else to do: what a server could reach at most. Talks as `send_parts_child.ts` does, and says
 * its port before.
 *
 *     viewers_control.ts FILE COUNT
 */
import { readFileSync } from "node:fs";
import process from "node:process";
import { MAX_HEAD_BYTES, OPCODE, writeFrameHead } from "../../lib/comms/websocket/frame_head.ts";
import { heard, say } from "../contract/child.ts";
import { clock } from "./clock.ts";
import { packetStarts, WARM_UP_BYTES } from "./stream_parts.ts";

const ANSWER = new TextEncoder().encode(
  "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
);

/** Writes bytes to one viewer. */
type Write = (bytes: Uint8Array) => Promise<void>;

/** Takes in viewers; each is ready when it has asked for a WebSocket. */
interface Listener {
  /** What listens; Bun ends all connections once nobody holds it. */
  readonly listener: { readonly port: number } | Deno.TcpListener;
  readonly port: number;
  readonly viewers: AsyncGenerator<Write>;
}

function listenDeno(): Listener {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const viewers = async function* () {
    for await (const conn of listener) {
      conn.setNoDelay(true);
      await conn.read(new Uint8Array(1024));
      yield async (bytes: Uint8Array) => {
        for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
      };
    }
  };
  return { listener, port: listener.addr.port, viewers: viewers() };
}

/** The part of `Bun` that is used. */
interface BunListens {
  listen(options: {
    readonly hostname: string;
    readonly port: number;
    readonly socket: {
      data(socket: BunSocket): void;
      drain(socket: BunSocket): void;
    };
  }): { readonly port: number };
}

interface BunSocket {
  data: (() => void) | undefined;
  write(bytes: Uint8Array): number;
}

function listenBun(): Listener {
  const { Bun } = globalThis as unknown as { Bun: BunListens };
  const asked: Write[] = [];
  let onAsked = () => {};
  const writer = (socket: BunSocket): Write => async (bytes) => {
    for (let at = 0;;) {
      at += socket.write(bytes.subarray(at));
      if (at === bytes.length) return;
      await new Promise<void>((resolve) => socket.data = resolve);
    }
  };
  const listener = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(socket) {
        asked.push(writer(socket));
        onAsked();
      },
      drain: (socket) => socket.data?.(),
    },
  });
  const viewers = async function* () {
    for (;;) {
      while (asked.length > 0) yield asked.shift()!;
      await new Promise<void>((resolve) => onAsked = resolve);
    }
  };
  return { listener, port: listener.port, viewers: viewers() };
}

const [path, count] = process.argv.slice(2);
const stream = readFileSync(path!);
const starts = packetStarts(stream);
const frames = starts.slice(1).map((end, i) => {
  const packet = stream.subarray(starts[i]! + 4, end);
  const frame = new Uint8Array(MAX_HEAD_BYTES + packet.length);
  const at = writeFrameHead(frame, 0, OPCODE.binary, packet.length);
  frame.set(packet, at);
  return frame.subarray(0, at + packet.length);
});
const warmUp = frames.slice(0, starts.findLastIndex((at) => at <= WARM_UP_BYTES));

const listening = "Deno" in globalThis ? listenDeno() : listenBun();
const lines = heard();
say({ port: listening.port, pid: process.pid });
const writes: Write[] = [];
for await (const write of listening.viewers) {
  await write(ANSWER);
  if (writes.push(write) === Number(count)) break;
}

async function send(parts: readonly Uint8Array[]): Promise<void> {
  await Promise.all(writes.map(async (write) => {
    for (const part of parts) await write(part);
  }));
}

for await (const line of lines) {
  const parts = line === "all" ? frames : warmUp;
  say({ messages: parts.length, startedAt: clock() });
  await send(parts);
}
