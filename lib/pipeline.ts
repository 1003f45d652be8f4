/**
 * The whole way of the data of one client, from its bytes to the smart channel. Start here.
 *
 * Every stage is a pure step (`comms/`, `encoding/`, `flow/`) under a thin stream.
 *
 * - {@linkcode pipeClient} is the chain of these streams, for programs with bytes of their own.
 * - {@linkcode receiveClient} is the same way as one loop, which the server runs for its connections.
 * - {@linkcode ReceiveStep} is what the loop does between a read and the channel.
 *
 * @module
 */
import { checkGiven, checkOptions, hasMethods, picked } from "./base/check_arguments.ts";
import type { TcpConnection } from "./adapters/tcp/types.ts";
import { type HandOver, PACKET_NAMES, type PacketOptions } from "./comms/sdk/packet_reader.ts";
import { PacketStream } from "./comms/sdk/packet_stream.ts";
import type { LogMsg } from "./encoding/log_msg.ts";
import { PacketDecodeStream } from "./encoding/rrd/packet_decode_stream.ts";
import { PACKET_DECODER_NAMES, type PacketDecoderOptions } from "./encoding/rrd/packet_decoder.ts";
import type { ChannelSender } from "./flow/channel/channel_sender.ts";
import { type Received, type ReceiveOptions, ReceiveStep } from "./flow/channel/receive_step.ts";
import type { CongestionManager } from "./flow/throttle/congestion_manager.ts";
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
  const passage = new Passage(connection, sender, options);
  const { packets } = options;
  const { read, release } = readerOf(connection);
  for (;;) {
    // Ask for bytes, once the client may be read.
    const mayAsk = options.beforeAsk();
    if (mayAsk !== undefined) await mayAsk;
    const into = packets.readInto();
    options.onAsk();
    let answer: Answer;
    try {
      answer = await read(into);
    } catch (thrown) {
      answer = thrown instanceof Error ? thrown : new Error(String(thrown));
    }

    // Bytes → packets, once it is the client's turn; behind its handshake, once it has a place.
    const looked = passage.look(answer);
    if (looked !== undefined) await looked;
    if (packets.handOver !== undefined) {
      release();
      return packets.handOver;
    }

    // Packets → log messages → channel, as many as there is room for at a time.
    const delivered = passage.deliver();
    if (delivered !== undefined) await delivered;
    if (!passage.isOver) continue;
    const { error } = passage;
    if (error !== undefined) options.onError(error);
    sender.quit(error);
    return error;
  }
}

/** Bytes that came, the error with which the connection broke, or nothing if it ended well. */
type Answer = Uint8Array | Error | undefined;

type Read = (into?: Uint8Array<ArrayBuffer>) => Promise<Uint8Array | undefined>;

/** Gives the way to read: without a stream if the connection can do that. */
function readerOf(connection: TcpConnection): { read: Read; release: () => void } {
  if (connection.read !== undefined) {
    return { read: (into) => connection.read!(into), release() {} };
  }
  const reader = connection.readable.getReader();
  return { read: async () => (await reader.read()).value, release: () => reader.releaseLock() };
}

// -------------------------------------------------------------------------------------- waits

/**
 * What the loop does with one read after another.
 *
 * Most reads wait for nothing, and only what waits is asynchronous: one loop with every wait in it
 * would be so large that Bun takes 100 ms to compile it well.
 */
class Passage {
  readonly #connection: TcpConnection;
  readonly #sender: ChannelSender;
  readonly #options: PipelineOptions;
  readonly #step: ReceiveStep;
  /** Bytes of the last read. */
  #bytes = 0;

  constructor(connection: TcpConnection, sender: ChannelSender, options: PipelineOptions) {
    this.#connection = connection;
    this.#sender = sender;
    this.#options = options;
    this.#step = new ReceiveStep(options, sender);
  }

  /** Whether nothing more comes, once all is delivered. */
  get isOver(): boolean {
    return this.#step.isOver;
  }

  /** Why nothing more comes; `undefined` if the client left gracefully. */
  get error(): Error | undefined {
    return this.#step.error;
  }

  /** Bytes → packets; gives what to wait for if it is not done at once. */
  look(answer: Answer): Promise<void> | undefined {
    const options = this.#options;
    if (!(answer instanceof Uint8Array)) {
      options.onAnswer(this.#bytes = 0, false);
      return void this.#step.finish(answer ?? options.onEnd());
    }
    const bytes = this.#bytes = answer.length;
    const hasMore = bytes > 0 && this.#connection.hasMore === true;
    options.onAnswer(bytes, hasMore);
    if (!options.packets.isGreeted) return this.#greet(answer, hasMore);
    const turn = options.beforeLook(bytes, hasMore);
    if (turn === undefined) return void this.#push(answer);
    return this.#wait("turn", turn).then(() => this.#push(answer));
  }

  /** Takes a handshake, and what came behind it once the client has a place. */
  async #greet(bytes: Uint8Array, hasMore: boolean): Promise<void> {
    this.#push(bytes);
    if (!this.#options.packets.isHeld) return;
    const place = this.#options.beforeLook(bytes.length, hasMore);
    if (place !== undefined) await this.#wait("turn", place);
    const refusal = this.#options.onEnd();
    if (refusal === undefined) this.#step.admit(bytes);
    else this.#step.finish(refusal);
    this.#giveBack(bytes);
  }

  #push(bytes: Uint8Array): void {
    this.#step.push(bytes);
    if (!this.#options.packets.isHeld) this.#giveBack(bytes);
  }

  /** Gives bytes back without a whole packet: they were copied to where it is put together. */
  #giveBack(bytes: Uint8Array): void {
    if (!this.#step.hasPackets) this.#connection.giveBack?.(bytes);
  }

  /** Packets → log messages → channel; gives what to wait for before the client is read on. */
  deliver(): Promise<void> | undefined {
    const received = this.#step.next();
    const isTooMuch = received.needs > 0 || this.#lacking(received) > 0;
    return isTooMuch ? this.#deliverInParts(received) : this.#deliverLast(received);
  }

  async #deliverInParts(first: Received): Promise<void> {
    for (let received = first;; received = this.#step.next()) {
      const lacking = this.#lacking(received);
      if (lacking > 0) await this.#wait("room", this.#sender.waitForRoom(lacking));
      const { needs } = received;
      if (needs === 0) return await this.#deliverLast(received);
      const mayGoOn = this.#send(received);
      // Meanwhile the rest of the bytes is held.
      if (mayGoOn !== undefined) await this.#wait("room", mayGoOn);
      await this.#wait("room", this.#sender.waitForRoom(needs));
    }
  }

  #deliverLast(received: Received): Promise<void> | undefined {
    const mayGoOn = this.#send(received);
    this.#sender.releaseRoom();
    // Nothing follows an error, so there is nothing to wait for.
    if (mayGoOn === undefined || received.error !== undefined) return undefined;
    // Meanwhile a packet that is not whole is held.
    this.#options.onWait(0, "room");
    return mayGoOn;
  }

  #send({ items, error }: Received): Promise<void> | undefined {
    const mayGoOn = items.length > 0 ? this.#put(items) : undefined;
    this.#options.packets.releaseTaken();
    if (mayGoOn !== undefined && error === undefined && this.#sender.isPaused) {
      this.#options.onPause();
    }
    return mayGoOn;
  }

  #put(msgs: readonly LogMsg[]): Promise<void> | undefined {
    this.#options.onMessages(msgs);
    return this.#sender.send(msgs);
  }

  /** Room in bytes that messages lack; without a maximum latency they were decoded as there was room. */
  #lacking({ items }: Received): number {
    const isBounded = items.length > 0 && this.#options.congestion.isBounded;
    return isBounded ? this.#sender.lacking(items) : 0;
  }

  /** Counts the bytes of the last read as waiting while a promise is not resolved. */
  async #wait(why: "turn" | "room", until: Promise<void>): Promise<void> {
    this.#options.onWait(this.#bytes, why);
    await until;
    this.#options.onWait(0, why);
  }
}
