import type { LogMsg } from "../log_msg.ts";
import type { Step, StepResult } from "../../base/step.ts";
import { RrdDecoder, type RrdDecoderOptions } from "./rrd_decoder.ts";

/** Packets → log messages: each packet holds a whole RRD stream, and passes whole or not at all. */
export class PacketDecoder implements Step<Uint8Array, LogMsg> {
  readonly #decoder: RrdDecoder;
  readonly #onPacket: (bytes: number) => void;

  /** @param options of the decoder, and whom to tell of each packet's length in bytes */
  constructor(options: RrdDecoderOptions & { readonly onPacket: (bytes: number) => void }) {
    this.#decoder = new RrdDecoder(options);
    this.#onPacket = options.onPacket;
  }

  push(packet: Uint8Array): StepResult<LogMsg> {
    this.#onPacket(packet.length);
    return this.#decoder.decodePacket(packet);
  }

  /** Takes packets up to the first that is wrong. */
  pushAll(packets: readonly Uint8Array[]): StepResult<LogMsg> {
    const msgs: LogMsg[] = [];
    for (const packet of packets) {
      this.#onPacket(packet.length);
      const error = this.#decoder.decodePacketInto(msgs, packet);
      if (error !== undefined) return { items: msgs, error };
    }
    return { items: msgs };
  }

  finish(): StepResult<LogMsg> {
    return { items: [] };
  }
}
