import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import type { TcpConnection } from "../lib/adapters/tcp/types.ts";
import { PacketReader } from "../lib/comms/sdk/packet_reader.ts";
import type { OnBadArrow } from "../lib/encoding/arrow/arrow_guard.ts";
import { CongestionManager } from "../lib/flow/throttle/congestion_manager.ts";
import { SmartChannel } from "../lib/flow/channel/smart_channel.ts";
import { TcpClientSource } from "../lib/flow/channel/smart_message.ts";
import { type PipelineOptions, receiveClient } from "../lib/pipeline.ts";
import { CAPTURES, fixture } from "./fixtures.ts";
import { seeded } from "./random.ts";
import { receiveStreamed } from "./streamed_pipeline.ts";

const KiB = 1024;

/** What a connection gives: bytes, and how it ends. */
interface Plan {
  readonly pieces: readonly Uint8Array[];
  readonly broken?: Error;
  /** Why we cut it. */
  readonly verdict?: Error;
  readonly onBadArrow?: OnBadArrow;
  readonly maxLatencySec?: number;
}

/** Gives the pieces as a stream alone. */
function streamed({ pieces, broken }: Plan): TcpConnection {
  const rest = [...pieces];
  const readable = new ReadableStream<Uint8Array>({
    pull(controller) {
      const piece = rest.shift();
      if (piece !== undefined) controller.enqueue(piece.slice());
      else if (broken !== undefined) controller.error(broken);
      else controller.close();
    },
  }, { highWaterMark: 0 });
  const write = () => Promise.reject(new Error("nobody is written to"));
  return { readable, write, setNoDelay() {}, close: () => {} };
}

/** Gives them one by one too, into the place offered if there is one. */
function direct(plan: Plan): TcpConnection & { inPlace: number } {
  const rest = [...plan.pieces];
  return {
    ...streamed(plan),
    inPlace: 0,
    read(into) {
      const piece = rest.shift();
      if (piece === undefined) {
        return plan.broken ? Promise.reject(plan.broken) : Promise.resolve(undefined);
      }
      if (into === undefined) return Promise.resolve(piece.slice());
      this.inPlace++;
      const fits = piece.subarray(0, into.length);
      if (fits.length < piece.length) rest.unshift(piece.subarray(fits.length));
      into.set(fits);
      return Promise.resolve(into.subarray(0, fits.length));
    },
    // Empty from then on: whoever needs it after all gets something else.
    giveBack({ byteLength, buffer }) {
      if (byteLength === buffer.byteLength) (buffer as ArrayBuffer).transfer(0);
    },
  };
}

/** The loop, which hands over who speaks another protocol, or the chain. */
type Receive = (...args: Parameters<typeof receiveStreamed>) => Promise<unknown>;

/** All that comes out of a pipeline, as text; the receiver is slow. */
async function outcome(receive: Receive, connection: TcpConnection, plan: Plan) {
  const now = () => 0;
  // Less than what a capture has, so that the client is paused now and then; with a maximum latency
  // what finds it full is dropped, which would hang on when the receiver comes.
  const limitBytes = plan.maxLatencySec === undefined ? 64 * KiB : 64 * 1024 * KiB;
  const channel = new SmartChannel({ now, limitBytes });
  const sender = channel.sender(new TcpClientSource(1, undefined));
  const log: string[] = [];
  const maxPacketBytes = 4 * 1024 * KiB;
  const options: PipelineOptions & { maxPacketBytes: number } = {
    maxPacketBytes,
    packets: new PacketReader({ maxPacketBytes }),
    limits: { maxMessageBytes: 4 * 1024 * KiB },
    onBadArrow: plan.onBadArrow ?? "save",
    onCorrupt: (_, what) => log.push(`corrupt ${what}`),
    onError: () => {},
    congestion: new CongestionManager({ maxLatencySec: plan.maxLatencySec ?? Infinity, now }),
    beforeAsk: () => undefined,
    onAsk: () => {},
    onAnswer: () => {},
    beforeLook: () => undefined,
    onWait: () => {},
    onPause: () => {},
    onEnd: () => plan.verdict,
    onPacket: (bytes) => log.push(`packet ${bytes}`),
    onHeader: ({ bytes }) => log.push(`header ${bytes}`),
    onMessages: () => {},
  };
  const received: string[] = [];
  const receiving = (async () => {
    for (;; await new Promise((resolve) => setTimeout(resolve, 0))) {
      for (const { payload } of channel.take(3) ?? []) {
        if (payload.type === "quit") return void received.push(`quit ${payload.error}`);
        const { kind, encoded } = payload.msg;
        received.push(`${kind} ${Buffer.from(encoded.bytes).toString("base64")}`);
      }
    }
  })();
  const error = await receive(connection, sender, options);
  await receiving;
  return { error: String(error), received, log };
}

/** A large packet that is no RRD stream but valid to the framer. */
function large(bytes: number): Uint8Array {
  const framed = Buffer.alloc(4 + bytes, 7);
  framed.writeUInt32LE(bytes);
  return framed;
}

function cut(bytes: Uint8Array, random: () => number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = 1 + Math.floor(random() ** 3 * 60_000);
    pieces.push(bytes.subarray(at, at + length));
    at += length;
  }
  return pieces;
}

describe("the loop of a client", () => {
  assert(CAPTURES.length >= 10);

  for (const [i, name] of CAPTURES.entries()) {
    it(`does what the stages do as streams: ${name}, whole and damaged, however it ends`, async () => {
      const random = seeded(i);
      const whole = fixture(`captures/${name}.bin`);
      for (let round = 0; round < 8; round++) {
        const bytes = whole.slice(0, round < 2 ? whole.length : random() * whole.length);
        if (round > 4) bytes[Math.floor(random() * bytes.length)]! ^= 0x40;
        const plan: Plan = {
          pieces: cut(bytes, random),
          ...(round % 3 === 1 && { broken: new Error("reset") }),
          ...(round % 4 === 2 && { verdict: new Error("too slow") }),
          onBadArrow: (["save", "drop", "close"] as const)[round % 3]!,
          // The clock stands still: what passes is judged, but nothing is late.
          ...(round % 2 === 1 && { maxLatencySec: 1 }),
        };
        const expected = await outcome(receiveStreamed, streamed(plan), plan);
        assertEquals(await outcome(receiveClient, direct(plan), plan), expected);
        assertEquals(await outcome(receiveClient, streamed(plan), plan), expected);
        if (round === 0) assertEquals(expected.error, "undefined");
      }
    });
  }

  it("has large packets read where they belong, however many follow", async () => {
    const whole = fixture("captures/0.22.1-mixed.bin");
    const handshake = whole.subarray(0, 7);
    const image = withArrow(whole, 900 * KiB);
    const bytes = Buffer.concat([handshake, image, image, image, large(300 * KiB)]);
    for (const pieceBytes of [10_000, 100_000, 256 * KiB, bytes.length]) {
      const pieces: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; at += pieceBytes) {
        pieces.push(bytes.subarray(at, at + pieceBytes));
      }
      const plan: Plan = { pieces };
      const connection = direct(plan);
      const expected = await outcome(receiveStreamed, streamed(plan), plan);
      assertEquals(await outcome(receiveClient, connection, plan), expected);
      assertEquals(expected.received.length, 4);
      assert(connection.inPlace > 0 || pieces.length === 1);
    }
  });
});

/** A packet of the capture's first message with so much more behind it, which its reader ignores. */
function withArrow(capture: Uint8Array, more: number): Uint8Array {
  const length = new DataView(capture.buffer).getUint32(7, true);
  const packet = Buffer.from(capture.subarray(7, 11 + length));
  const headerBytes = 12;
  packet.writeUInt32LE(length + more, 0);
  for (const at of [0, 4]) {
    const field = 4 + headerBytes + at;
    packet.writeUInt32LE(packet.readUInt32LE(field) + more, field);
  }
  return Buffer.concat([packet, Buffer.alloc(more, 1)]);
}
