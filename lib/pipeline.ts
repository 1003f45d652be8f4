/**
 * The whole way of the data, from a client's socket to the receiver:
 *
 * ```text
 * bytes → handshake, packets → log messages → those that may pass → smart channel → receiver
 * ```
 *
 * Every stage is a pure step (`comms/`, `encoding/`, `flow/`); `ReceiveStep` is all of them, and one
 * loop a client pushes into it what one read of the socket gave. An error is the last thing to come:
 * all that came before it is delivered before. The stages are streams too, for use alone.
 *
 * @module
 */
import type { TcpConnection } from "./adapters/tcp/types.ts";
import type { ChannelSender } from "./flow/channel/channel_sender.ts";
import type { HandOver } from "./comms/sdk/packet_reader.ts";
import type { LogMsg } from "./encoding/log_msg.ts";
import { type Received, type ReceiveOptions, ReceiveStep } from "./receive_step.ts";

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
 * Takes in all that a client sends, until it leaves or something is wrong with it.
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
