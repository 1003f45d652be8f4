import { guardArrow, type OnBadArrow } from "./encoding/arrow/arrow_guard.ts";
import type { DecodeLimits } from "./encoding/limits.ts";
import { PacketDecoder } from "./encoding/rrd/packet_decoder.ts";
import type { RrdHeader } from "./encoding/rrd/rrd_header.ts";
import type { PacketReader } from "./comms/sdk/packet_reader.ts";
import type { CongestionManager } from "./flow/throttle/congestion_manager.ts";
import { type QueueLoad, Throttle } from "./flow/throttle/throttle.ts";
import type { LogMsg } from "./encoding/log_msg.ts";
import type { Step, StepResult } from "./base/step.ts";

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

/** Bytes of a client → packets → log messages → those that may pass. */
export class ReceiveStep implements Step<Uint8Array, LogMsg> {
  readonly #options: ReceiveOptions;
  readonly #load: QueueLoad;
  /** Made with the first packet: most of many idle clients never send one. */
  #decoder: PacketDecoder | undefined;
  #throttle: Throttle | undefined;

  /**
   * @param options what it works with
   * @param load of the queue behind
   */
  constructor(options: ReceiveOptions, load: QueueLoad) {
    this.#options = options;
    this.#load = load;
  }

  push(bytes: Uint8Array): StepResult<LogMsg> {
    const { items: packets, error: cut } = this.#options.packets.push(bytes);
    if (packets.length === 0) return cut === undefined ? { items: [] } : { items: [], error: cut };
    const { items: msgs, error = cut } = this.#decode(packets);
    this.#throttle ??= new Throttle(this.#options.congestion, this.#load);
    const { items } = this.#throttle.push(msgs);
    return error === undefined ? { items } : { items, error };
  }

  finish(): StepResult<LogMsg> {
    const { error } = this.#options.packets.finish();
    return error === undefined ? { items: [] } : { items: [], error };
  }

  #guard(decoded: StepResult<LogMsg>, onBadArrow: "drop" | "close"): StepResult<LogMsg> {
    const onBad = (msg: LogMsg, what: string) => this.#options.onCorrupt(msg, what);
    const { items, error = decoded.error } = guardArrow(decoded.items, onBadArrow, onBad);
    return error === undefined ? { items } : { items, error };
  }

  #decode(packets: readonly Uint8Array[]): StepResult<LogMsg> {
    const options = this.#options;
    const decoder = this.#decoder ??= new PacketDecoder({
      ...options.limits,
      onHeader: (header) => options.onHeader(header),
      onPacket: (bytes) => options.onPacket(bytes),
    });
    if (options.onBadArrow === "save") return decoder.pushAll(packets);
    const items: LogMsg[] = [];
    for (const packet of packets) {
      const { items: msgs, error } = this.#guard(decoder.push(packet), options.onBadArrow);
      for (const msg of msgs) items.push(msg);
      if (error !== undefined) return { items, error };
    }
    return { items };
  }
}
