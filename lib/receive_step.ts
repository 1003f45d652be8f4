import type { OnBadArrow } from "./encoding/arrow/arrow_guard.ts";
import type { DecodeLimits } from "./encoding/limits.ts";
import { PacketDecoder } from "./encoding/rrd/packet_decoder.ts";
import { packetWeight } from "./encoding/rrd/packet_weight.ts";
import type { RrdHeader } from "./encoding/rrd_header.ts";
import type { PacketReader } from "./comms/sdk/packet_reader.ts";
import type { CongestionManager } from "./flow/throttle/congestion_manager.ts";
import { MESSAGE_OVERHEAD_BYTES } from "./flow/channel/pinned_bytes.ts";
import { type QueueLoad, Throttle } from "./flow/throttle/throttle.ts";
import type { LogMsg } from "./encoding/log_msg.ts";
import type { StepResult } from "./base/step.ts";

/** What the steps work with, and whom they tell. */
export interface ReceiveOptions {
  /** Cuts the bytes into packets. */
  readonly packets: PacketReader;
  /** Limits of what a packet may hold. */
  readonly limits: DecodeLimits;
  /** What is done with corrupt Arrow data. */
  readonly onBadArrow: OnBadArrow;
  /** Decides what to drop so that what passes stays fresh; not asked for before the first packet. */
  readonly congestion: CongestionManager;
  /** A packet of so many bytes is whole. */
  onPacket(bytes: number): void;
  /** An RRD header came that differs from the one before. */
  onHeader(header: RrdHeader): void;
  /** A message was taken out for its corrupt Arrow data. */
  onCorrupt(msg: LogMsg, what: string): void;
}

/** What the step wants to know of the channel behind it. */
export interface Room extends QueueLoad {
  /** Bytes that may be sent now. */
  readonly free: number;
  /** Whether a packet may be sent now however large it is, for nothing else waits. */
  readonly isEmpty: boolean;
}

/** What came of the packets that there was room for. */
export interface Received extends StepResult<LogMsg> {
  /** Bytes that the next packet needs room for; 0 if there is none. */
  readonly needs: number;
}

/** Where so many times the bytes of all packets are free, none has to be weighed. */
const AMPLE = 400;

const NONE: readonly Uint8Array[] = [];

/** Bytes of a client → packets → log messages → those that may pass, as far as there is room for them. */
export class ReceiveStep {
  readonly #options: ReceiveOptions;
  readonly #room: Room;
  /** Made with the first packet: most of many idle clients never send one. */
  #decoder: PacketDecoder | undefined;
  #throttle: Throttle | undefined;
  /** Packets that were cut, and the first that is not decoded. */
  #packets = NONE;
  #at = 0;
  /** What is wrong behind them. */
  #error: Error | undefined;
  /** Buffers of theirs that are not counted yet: of the first packet, where it has its own, and of the rest. */
  #firstBytes = 0;
  #restBytes = 0;

  /**
   * @param options what it works with
   * @param room in the channel behind
   */
  constructor(options: ReceiveOptions, room: Room) {
    this.#options = options;
    this.#room = room;
  }

  /** Takes the next bytes; what comes of them is to be asked for until nothing is left. */
  push(bytes: Uint8Array): void {
    this.#take(this.#options.packets.push(bytes), bytes);
  }

  /** Goes on behind the handshake, where the client was held until it had a place. */
  admit(bytes: Uint8Array): void {
    this.#take(this.#options.packets.admit(), bytes);
  }

  /**
   * Says that no more bytes come.
   *
   * @param error why, if not in peace
   */
  finish(error?: Error): void {
    this.#error = error ?? this.#options.packets.finish().error;
  }

  /** Whether packets were cut that are not decoded. */
  get hasPackets(): boolean {
    return this.#at < this.#packets.length;
  }

  /** The messages of all packets that there is room for, and the error once there are no more. */
  next(): Received {
    const packets = this.#packets;
    const from = this.#at;
    if (from === packets.length) return received([], this.#error, 0);
    const { congestion } = this.#options;
    this.#throttle ??= new Throttle(congestion, this.#room);
    // Where there is a limit of the latency, what there is no room for is dropped, and must be seen first.
    const needs = congestion.isBounded ? this.#all() : this.#weigh();
    const to = this.#at;
    if (to === from) return received([], undefined, needs);
    const some = from === 0 && to === packets.length ? packets : packets.slice(from, to);
    const { items: msgs, error } = this.#decode(some);
    const { items } = this.#throttle.push(msgs);
    if (error !== undefined) this.#drop(error);
    if (this.hasPackets) return received(items, undefined, needs);
    // A client that is idle from now on must keep nothing of them alive.
    this.#drop(this.#error);
    return received(items, this.#error, 0);
  }

  #take({ items, error }: StepResult<Uint8Array>, bytes: Uint8Array): void {
    this.#error = error;
    this.#packets = items;
    this.#at = 0;
    if (items.length === 0) return;
    const rest = bytes.buffer;
    const first = items[0]!.buffer;
    this.#restBytes = rest.byteLength;
    this.#firstBytes = first === rest ? 0 : first.byteLength;
  }

  #drop(error: Error | undefined): void {
    this.#error = error;
    this.#packets = NONE;
    this.#at = 0;
  }

  #all(): number {
    this.#at = this.#packets.length;
    return 0;
  }

  /** Moves on behind the last packet that there is room for; returns what the next one needs. */
  #weigh(): number {
    const packets = this.#packets;
    const { free, isEmpty } = this.#room;
    if (this.#at === 0 && free > AMPLE * (this.#firstBytes + this.#restBytes)) return this.#all();
    const { maxMessagesPerPacket = Infinity } = this.#options.limits;
    const from = this.#at;
    let weight = 0;
    let inRest = 0;
    for (; this.#at < packets.length; this.#at++) {
      const packet = packets[this.#at]!;
      const made = packetWeight(packet, MESSAGE_OVERHEAD_BYTES, maxMessagesPerPacket);
      const isFirst = this.#at === 0 && this.#firstBytes > 0;
      const own = isFirst ? this.#firstBytes : 0;
      const length = isFirst ? 0 : packet.length;
      const fits = weight + made + own + this.#inBuffer(inRest + length) <= free;
      if (!fits && !(isEmpty && this.#at === from)) return made + own + this.#inBuffer(length);
      weight += made + own;
      inRest += length;
    }
    return 0;
  }

  /** What packets in the buffer of the read keep alive: of one that is used by less than half, a copy. */
  #inBuffer(length: number): number {
    return Math.min(2 * length, this.#restBytes);
  }

  #decode(packets: readonly Uint8Array[]): StepResult<LogMsg> {
    const { limits, onBadArrow } = this.#options;
    this.#decoder ??= new PacketDecoder({
      ...limits,
      onBadArrow,
      onCorrupt: (msg, what) => this.#options.onCorrupt(msg, what),
      onHeader: (header) => this.#options.onHeader(header),
      onPacket: (bytes) => this.#options.onPacket(bytes),
    });
    return this.#decoder.push(packets);
  }
}

function received(items: LogMsg[], error: Error | undefined, needs: number): Received {
  return error === undefined ? { items, needs } : { items, error, needs };
}
