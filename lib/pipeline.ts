/**
 * The whole way of the data of one client, from its bytes to the smart channel. Start here.
 *
 * Every stage is a pure step (`comms/`, `encoding/`, `flow/`) under a thin stream, and
 * {@linkcode pipeClient} is their chain. {@linkcode receiveClient} beside it is the same way as one
 * loop, for sockets that can be read without a stream.
 *
 * @module
 */
import type { PacketOptions } from "./comms/sdk/packet_reader.ts";
import { PacketStream } from "./comms/sdk/packet_stream.ts";
import { PacketDecodeStream } from "./encoding/rrd/packet_decode_stream.ts";
import type { PacketDecoderOptions } from "./encoding/rrd/packet_decoder.ts";
import type { CongestionManager } from "./flow/throttle/congestion_manager.ts";
import { ThrottleStream } from "./flow/throttle/throttle_stream.ts";
import type { TcpConnection } from "./adapters/tcp/types.ts";
import type { ChannelSender } from "./flow/channel/channel_sender.ts";
import type { HandOver } from "./comms/sdk/packet_reader.ts";
import type { LogMsg } from "./encoding/log_msg.ts";
import { type Received, type ReceiveOptions, ReceiveStep } from "./receive_step.ts";

/** What the chain works with. */
export interface ChainOptions extends PacketOptions, PacketDecoderOptions {
  /** Decides what to drop so that what passes stays fresh. */
  readonly congestion: CongestionManager;
}

/**
 * Takes in all that a client sends, as a chain of streams: what came before an error is delivered
 * before the client is left for it.
 *
 * @param readable the client's bytes
 * @param to the client's end of the smart channel
 * @param options limits, and whom to tell
 * @returns why the client was left, `undefined` if it left gracefully; never rejects for what a peer does
 *
 * @example
 * ```ts
 * import { CongestionManager, pipeClient, SmartChannel } from "@rerelay/server/core";
 * import { assert, assertEquals } from "@std/assert";
 *
 * const channel = new SmartChannel();
 * const to = channel.sender({ kind: "tcp-client", id: 1 });
 * const congestion = new CongestionManager({ maxLatencySec: Infinity });
 * const bytes = new Blob(["HELO mail.example.com"]).stream();
 *
 * const error = await pipeClient(bytes, to, { congestion });
 * assert(error?.message.includes("unknown client"));
 * assertEquals(channel.take()?.[0]?.payload, { type: "quit", error: error! });
 * ```
 */
export async function pipeClient(
  readable: ReadableStream<Uint8Array>,
  to: ChannelSender,
  options: ChainOptions,
): Promise<Error | undefined> {
  try {
    await readable
      .pipeThrough(new PacketStream(options)) // bytes → packets
      .pipeThrough(new PacketDecodeStream(options)) // packets → log messages
      .pipeThrough(new ThrottleStream(options.congestion, to)) // those that may pass
      .pipeTo(to.writable); // the smart channel
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

// ------------------------------------------------------------------------------------ sockets

/** What the server wants to be told of a client, what the client has to wait for, and its limits. */
export interface PipelineOptions extends ReceiveOptions {
  /** What to wait for before bytes are asked for: the next turn, or until less waits for room. */
  beforeAsk(): Promise<void> | undefined;
  /** Bytes are asked for. */
  onAsk(): void;
  /** So many came, none if the connection is over; and whether its socket holds more. */
  onAnswer(bytes: number, hasMore: boolean): void;
  /** What to wait for before the bytes that came are looked at: a place for the client, or its turn. */
  beforeLook(bytes: number, hasMore: boolean): Promise<void> | undefined;
  /** So many bytes that were read wait to be looked at, or for room in the channel; 0 if none do. */
  onWait(bytes: number, why: "turn" | "room"): void;
  /** The client waits until messages of its own are taken. */
  onPause(): void;
  /** The connection is over: the reason, where it was we who ended it for one. */
  onEnd(): Error | undefined;
  /** The client is left for this reason; called before anybody else hears of it. */
  onError(error: Error): void;
  /** These messages go into the channel. */
  onMessages(msgs: readonly LogMsg[]): void;
}

/**
 * The same as a loop over `read()`: an idle client takes 3.5 KiB of heap instead of 32, and large
 * packets are read where they belong. It also lets a client wait for its place, its turn, and room.
 *
 * `tests/pipeline_test.ts` demands that it does what the chain does.
 *
 * @param connection of the client
 * @param sender the client's end of the smart channel
 * @param options limits and callbacks
 * @returns why the client was left, `undefined` if it left gracefully; or what it speaks, if that is none
 * of this protocol: it is to be received by another then. Never rejects for what a peer does
 */
export async function receiveClient(
  connection: TcpConnection,
  sender: ChannelSender,
  options: PipelineOptions,
): Promise<Error | HandOver | undefined> {
  const step = new ReceiveStep(options, sender);
  const { packets } = options;
  const { read, release } = readerOf(connection);
  for (;;) {
    const before = options.beforeAsk();
    if (before !== undefined) await before;
    let answer: Answer;
    const room = packets.room();
    options.onAsk();
    try {
      answer = await read(room);
    } catch (thrown) {
      answer = thrown instanceof Error ? thrown : new Error(String(thrown));
    }
    const bytes = answer instanceof Uint8Array ? answer.length : 0;
    const hasMore = bytes > 0 && connection.hasMore === true;
    options.onAnswer(bytes, hasMore);
    if (answer instanceof Uint8Array) {
      const turn = packets.isGreeted ? options.beforeLook(bytes, hasMore) : undefined;
      if (turn !== undefined) await waits(options, bytes, "turn", turn);
      step.push(answer);
      if (packets.isHeld) {
        const place = options.beforeLook(bytes, hasMore);
        if (place !== undefined) await waits(options, bytes, "turn", place);
        const refusal = options.onEnd();
        if (refusal === undefined) step.admit(answer);
        else step.finish(refusal);
      }
      // It was copied where the packet is put together.
      if (!step.hasPackets) connection.giveBack?.(answer);
      if (packets.handOver !== undefined) {
        release();
        return packets.handOver;
      }
    } else step.finish(answer ?? options.onEnd());
    let received: Received;
    do {
      received = step.next();
      const { items, needs } = received;
      if (items.length > 0) {
        const lacking = options.congestion.isBounded ? sender.lacking(items) : 0;
        if (lacking > 0) await waits(options, bytes, "room", sender.waitForRoom(lacking));
        options.onMessages(items);
        const mayGoOn = sender.send(items);
        packets.settle();
        // Nothing follows an error, so there is nothing to wait for.
        if (mayGoOn !== undefined && received.error === undefined) {
          if (sender.isPaused) options.onPause();
          // What is left of the bytes is held meanwhile, or a packet that is not whole.
          options.onWait(needs > 0 ? bytes : 0, "room");
          await mayGoOn;
          if (needs > 0) options.onWait(0, "room");
        }
      }
      if (needs > 0) await waits(options, bytes, "room", sender.waitForRoom(needs));
    } while (received.needs > 0);
    sender.releaseRoom();
    packets.settle();
    const { error } = received;
    if (!(answer instanceof Uint8Array) || error !== undefined) {
      if (error !== undefined) options.onError(error);
      sender.quit(error);
      return error;
    }
  }
}

/** Bytes, how the connection broke, or nothing where it ended in peace. */
type Answer = Uint8Array | Error | undefined;

/** Counts bytes as waiting, for as long as they do. */
async function waits(
  options: PipelineOptions,
  bytes: number,
  why: "turn" | "room",
  until: Promise<void>,
): Promise<void> {
  options.onWait(bytes, why);
  await until;
  options.onWait(0, why);
}

type Read = (into?: Uint8Array<ArrayBuffer>) => Promise<Uint8Array | undefined>;

/** Reads without a stream where the connection can. */
function readerOf(connection: TcpConnection): { read: Read; release: () => void } {
  if (connection.read !== undefined) {
    return { read: (into) => connection.read!(into), release() {} };
  }
  const reader = connection.readable.getReader();
  return { read: async () => (await reader.read()).value, release: () => reader.releaseLock() };
}
