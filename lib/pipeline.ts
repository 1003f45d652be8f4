/**
 * The whole way of the data of one client, from its bytes to the smart channel. Start here.
 *
 * Every stage is a pure step (`comms/`, `encoding/`, `flow/`) under a thin stream.
 *
 * - {@linkcode pipeClient} is the chain of these streams.
 * - {@linkcode receiveClient} is the same way as one loop, for sockets that can be read without a stream.
 * - {@linkcode ReceiveStep} is what the loop does between a read and the channel.
 *
 * @module
 */
import { checkGiven, checkOptions, hasMethods, picked } from "./base/check_arguments.ts";
import type { TcpConnection } from "./adapters/tcp/types.ts";
import type { StepResult } from "./base/step.ts";
import {
  type HandOver,
  PACKET_NAMES,
  type PacketOptions,
  type PacketReader,
} from "./comms/sdk/packet_reader.ts";
import { PacketStream } from "./comms/sdk/packet_stream.ts";
import type { OnBadArrow } from "./encoding/arrow/arrow_guard.ts";
import type { DecodeLimits } from "./encoding/limits.ts";
import type { LogMsg } from "./encoding/log_msg.ts";
import { PacketDecodeStream } from "./encoding/rrd/packet_decode_stream.ts";
import {
  PACKET_DECODER_NAMES,
  PacketDecoder,
  type PacketDecoderOptions,
} from "./encoding/rrd/packet_decoder.ts";
import type { RrdHeader } from "./encoding/rrd_header.ts";
import type { ChannelSender } from "./flow/channel/channel_sender.ts";
import { type Room, WaitingPackets } from "./flow/channel/waiting_packets.ts";
import type { CongestionManager } from "./flow/throttle/congestion_manager.ts";
import { type QueueLoad, Throttle } from "./flow/throttle/throttle.ts";
import { ThrottleStream } from "./flow/throttle/throttle_stream.ts";

/** Options of {@linkcode pipeClient}. */
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
  const isReadable = hasMethods(readable, "pipeThrough");
  checkGiven("pipeClient", "a ReadableStream of bytes", isReadable, readable);
  checkGiven("pipeClient", "a ChannelSender", hasMethods(to, "quit"), to);
  checkOptions("pipeClient", options, {
    ...{ ...PACKET_NAMES, ...PACKET_DECODER_NAMES, congestion: true },
  });
  const { congestion } = options;
  const decides = hasMethods(congestion, "registerLatency");
  checkGiven("pipeClient", "options.congestion, a CongestionManager", decides, congestion);
  try {
    await readable
      .pipeThrough(new PacketStream(picked<PacketOptions>(options, PACKET_NAMES))) // bytes → packets
      .pipeThrough(
        new PacketDecodeStream(picked<PacketDecoderOptions>(options, PACKET_DECODER_NAMES)),
      ) // packets → log messages
      .pipeThrough(new ThrottleStream(options.congestion, to)) // those that may pass
      .pipeTo(to.writable); // the smart channel
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

// ------------------------------------------------------------------------------------ sockets

/** What the loop needs of a client, as the server sees it. */
export interface PipelineOptions extends ReceiveOptions {
  /** Gives what to wait for before the next read: the client's turn, or room. */
  beforeAsk(): Promise<void> | undefined;
  /** Called when a read begins. */
  onAsk(): void;
  /** Called with the number of bytes that came, 0 if the connection is over, and whether its socket holds more. */
  onAnswer(bytes: number, hasMore: boolean): void;
  /** Gives what to wait for before bytes are looked at: the client's place, or its turn. */
  beforeLook(bytes: number, hasMore: boolean): Promise<void> | undefined;
  /** Called with the number of bytes that were read and wait; 0 once they no longer do. */
  onWait(bytes: number, why: "turn" | "room"): void;
  /** Called when the client has to wait until messages of its own are taken. */
  onPause(): void;
  /** Called when the connection is over; gives the reason, if we ended it for one. */
  onEnd(): Error | undefined;
  /** Called with the reason why the client leaves, before anybody else hears of it. */
  onError(error: Error): void;
  /** Called with the messages that go into the channel. */
  onMessages(msgs: readonly LogMsg[]): void;
}

/**
 * Does what the chain does, as a loop over `read()`: an idle client takes 3.5 KiB of heap instead
 * of 32 KiB, and large packets are read directly into their place. It also lets a client wait for
 * its place, its turn, and room in the channel.
 *
 * `tests/pipeline_test.ts` checks that loop and chain do the same.
 *
 * @param connection of the client
 * @param sender the client's end of the smart channel
 * @param options limits and callbacks
 * @returns why the client left, `undefined` if it left gracefully; if the client speaks another
 * protocol, which one and what was read, so that others receive it. Never rejects for what a peer
 * does
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
    // Ask for bytes, once the client may be read.
    const before = options.beforeAsk();
    if (before !== undefined) await before;
    const into = packets.readInto();
    options.onAsk();
    let answer: Answer;
    try {
      answer = await read(into);
    } catch (thrown) {
      answer = thrown instanceof Error ? thrown : new Error(String(thrown));
    }
    const bytes = answer instanceof Uint8Array ? answer.length : 0;
    const hasMore = bytes > 0 && connection.hasMore === true;
    options.onAnswer(bytes, hasMore);

    // Bytes → packets, once it is the client's turn; behind its handshake, once it has a place.
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
      // No whole packet is in these bytes: they were copied to where it is put together.
      if (!step.hasPackets) connection.giveBack?.(answer);
      if (packets.handOver !== undefined) {
        release();
        return packets.handOver;
      }
    } else step.finish(answer ?? options.onEnd());

    // Packets → log messages → channel, as many as there is room for at a time.
    let received: Received;
    do {
      received = step.next();
      const { items, needs } = received;
      if (items.length > 0) {
        const lacking = options.congestion.isBounded ? sender.lacking(items) : 0;
        if (lacking > 0) await waits(options, bytes, "room", sender.waitForRoom(lacking));
        options.onMessages(items);
        const mayGoOn = sender.send(items);
        packets.releaseTaken();
        // Nothing follows an error, so there is nothing to wait for.
        if (mayGoOn !== undefined && received.error === undefined) {
          if (sender.isPaused) options.onPause();
          // Meanwhile the rest of the bytes is held, or a packet that is not whole.
          options.onWait(needs > 0 ? bytes : 0, "room");
          await mayGoOn;
          if (needs > 0) options.onWait(0, "room");
        }
      }
      if (needs > 0) await waits(options, bytes, "room", sender.waitForRoom(needs));
    } while (received.needs > 0);
    sender.releaseRoom();
    packets.releaseTaken();

    const { error } = received;
    if (!(answer instanceof Uint8Array) || error !== undefined) {
      if (error !== undefined) options.onError(error);
      sender.quit(error);
      return error;
    }
  }
}

/** Bytes that came, the error with which the connection broke, or nothing if it ended well. */
type Answer = Uint8Array | Error | undefined;

/** Counts bytes as waiting while a promise is not resolved. */
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

/** Gives the way to read: without a stream if the connection can do that. */
function readerOf(connection: TcpConnection): { read: Read; release: () => void } {
  if (connection.read !== undefined) {
    return { read: (into) => connection.read!(into), release() {} };
  }
  const reader = connection.readable.getReader();
  return { read: async () => (await reader.read()).value, release: () => reader.releaseLock() };
}

// ------------------------------------------------------------------------------ between the two

/** Options of {@linkcode ReceiveStep}, and whom it tells. */
export interface ReceiveOptions {
  /** Cuts the bytes into packets. */
  readonly packets: PacketReader;
  /** Limits of what a packet may hold. */
  readonly limits: DecodeLimits;
  /** What is done with corrupt Arrow data. */
  readonly onBadArrow: OnBadArrow;
  /** Decides what to drop so that what passes stays fresh; not asked for before the first packet. */
  readonly congestion: CongestionManager;
  /** Called with the length of each packet that is whole, in bytes. */
  onPacket(bytes: number): void;
  /** Called with each RRD header that differs from the one before. */
  onHeader(header: RrdHeader): void;
  /** Called with each message that was taken out for its corrupt Arrow data, and what is wrong. */
  onCorrupt(msg: LogMsg, what: string): void;
}

/** The messages of the packets that there was room for. */
interface Received extends StepResult<LogMsg> {
  /** Bytes of room that the next packet needs; 0 if there is none. */
  readonly needs: number;
}

/** Bytes → packets → log messages → those that may pass, as far as the channel has room for them. */
class ReceiveStep {
  readonly #options: ReceiveOptions;
  readonly #room: Room & QueueLoad;
  readonly #waiting = new WaitingPackets();
  /** Made with the first packet: most of many idle clients never send one. */
  #decoder: PacketDecoder | undefined;
  #throttle: Throttle | undefined;
  /** The error that comes behind the packets that wait. */
  #error: Error | undefined;

  /**
   * @param options what it works with
   * @param room in the channel behind it
   */
  constructor(options: ReceiveOptions, room: Room & QueueLoad) {
    this.#options = options;
    this.#room = room;
  }

  /** Takes the next bytes; `next` must be called until it has given all messages in them. */
  push(bytes: Uint8Array): void {
    this.#put(this.#options.packets.push(bytes), bytes);
  }

  /** Goes on behind the handshake, where the client was held until it had a place. */
  admit(bytes: Uint8Array): void {
    this.#put(this.#options.packets.admit(), bytes);
  }

  /** Says that no more bytes come; `error` says why, if the connection did not end well. */
  finish(error?: Error): void {
    this.#error = error ?? this.#options.packets.finish().error;
  }

  /** Whether packets were cut that are not decoded. */
  get hasPackets(): boolean {
    return !this.#waiting.isEmpty;
  }

  /** Gives the messages of all packets that there is room for, and the error once there are no more. */
  next(): Received {
    const waiting = this.#waiting;
    if (waiting.isEmpty) return received([], this.#error, 0);
    const { congestion, limits: { maxMessagesPerPacket = Infinity } } = this.#options;
    // With a maximum latency what there is no room for is dropped, so it must be decoded first.
    const packets = congestion.isBounded
      ? waiting.takeAll()
      : waiting.take(this.#room, maxMessagesPerPacket);
    if (packets.length === 0) return received([], undefined, waiting.needs);
    const { items: msgs, error } = this.#decode(packets);
    this.#throttle ??= new Throttle(congestion, this.#room);
    const { items } = this.#throttle.push(msgs);
    if (error !== undefined) {
      this.#error = error;
      waiting.clear();
    }
    if (!waiting.isEmpty) return received(items, undefined, waiting.needs);
    waiting.clear();
    return received(items, this.#error, 0);
  }

  #put({ items, error }: StepResult<Uint8Array>, bytes: Uint8Array): void {
    this.#error = error;
    this.#waiting.put(items, bytes);
  }

  #decode(packets: readonly Uint8Array[]): StepResult<LogMsg> {
    this.#decoder ??= new PacketDecoder({
      ...this.#options.limits,
      onBadArrow: this.#options.onBadArrow,
      onCorrupt: (msg, what) => this.#options.onCorrupt(msg, what),
      onHeader: (header) => this.#options.onHeader(header),
      onPacket: (bytes) => this.#options.onPacket(bytes),
    });
    const decoded = this.#decoder.push(packets);
    const msg = decoded.items[0];
    if (msg?.kind === "ArrowMsg") this.#options.packets.alignLike(packets[0]!, msg.arrow.bytes);
    return decoded;
  }
}

function received(items: LogMsg[], error: Error | undefined, needs: number): Received {
  return error === undefined ? { items, needs } : { items, error, needs };
}
