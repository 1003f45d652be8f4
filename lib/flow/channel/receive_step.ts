import type { StepResult } from "../../base/step.ts";
import type { PacketReader } from "../../comms/sdk/packet_reader.ts";
import type { OnBadArrow } from "../../encoding/arrow/arrow_guard.ts";
import type { DecodeLimits } from "../../encoding/limits.ts";
import type { KnownEnvelopes } from "../../encoding/msgpack/known_envelopes.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import { PacketDecoder } from "../../encoding/rrd/packet_decoder.ts";
import type { RrdHeader } from "../../encoding/rrd_header.ts";
import type { CongestionManager } from "../throttle/congestion_manager.ts";
import { type QueueLoad, Throttle } from "../throttle/throttle.ts";
import { type Room, WaitingPackets } from "./waiting_packets.ts";

/** Options of {@linkcode ReceiveStep}, and whom it tells. */
export interface ReceiveOptions {
  /** Cuts the bytes into packets. */
  readonly packets: PacketReader;
  /** Limits of what a packet may hold. */
  readonly limits: DecodeLimits;
  /** What is done with corrupt Arrow data. */
  readonly onBadArrow: OnBadArrow;
  /** Shared with other clients; left out, a client has its own. */
  readonly envelopes?: KnownEnvelopes;
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
export interface Received extends StepResult<LogMsg> {
  /** Bytes of room that the next packet needs; 0 if there is none. */
  readonly needs: number;
}

/** Bytes → packets → log messages → those that may pass, as far as the channel has room for them. */
export class ReceiveStep {
  readonly #options: ReceiveOptions;
  readonly #room: Room & QueueLoad;
  readonly #waiting = new WaitingPackets();
  /** Made with the first packet: most of many idle clients never send one. */
  #decoder: PacketDecoder | undefined;
  #throttle: Throttle | undefined;
  #isFinished = false;
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
    this.#isFinished = true;
    this.#error = error ?? this.#options.packets.finish().error;
  }

  /** Whether nothing comes behind the packets that wait. */
  get isOver(): boolean {
    return this.#isFinished || this.#error !== undefined;
  }

  /** Why nothing more comes; `undefined` if the client left gracefully. */
  get error(): Error | undefined {
    return this.#error;
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
    }, this.#options.envelopes);
    const decoded = this.#decoder.push(packets);
    const msg = decoded.items[0];
    if (msg?.kind === "ArrowMsg") this.#options.packets.alignLike(packets[0]!, msg.arrow.bytes);
    return decoded;
  }
}

function received(items: LogMsg[], error: Error | undefined, needs: number): Received {
  return error === undefined ? { items, needs } : { items, error, needs };
}
