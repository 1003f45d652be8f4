import type { OptionNames } from "../../base/check_arguments.ts";
import { checkChoice } from "../../base/check_options.ts";
import { guardArrow, ON_BAD_ARROW, type OnBadArrow } from "../arrow/arrow_guard.ts";
import type { KnownEnvelopes } from "../msgpack/known_envelopes.ts";
import type { LogMsg } from "../log_msg.ts";
import type { Step, StepResult } from "../../base/step.ts";
import { DECODE_LIMITS, decodeLimits } from "../limits.ts";
import { PacketMessages } from "./_packet_messages.ts";
import type { RrdDecoderOptions } from "./rrd_decoder.ts";

/** Options of {@linkcode PacketDecoder} and `PacketDecodeStream`. */
export interface PacketDecoderOptions extends RrdDecoderOptions {
  /** What is done with corrupt Arrow data; default `"save"`, which lets it pass. */
  readonly onBadArrow?: OnBadArrow;
  /** Called with each message that is taken out for its corrupt Arrow data, and what is wrong with it. */
  readonly onCorrupt?: (msg: LogMsg, what: string) => void;
  /** Called with the length of each packet in bytes. */
  readonly onPacket?: (bytes: number) => void;
}

/** Names of all options. */
export const PACKET_DECODER_NAMES: OptionNames<PacketDecoderOptions> = {
  ...DECODE_LIMITS,
  ...{ onHeader: true, onBadArrow: true, onCorrupt: true, onPacket: true },
};

/** Packets → log messages: each packet holds a whole RRD stream, and passes whole or not at all. */
export class PacketDecoder implements Step<readonly Uint8Array[], LogMsg> {
  readonly #packets: PacketMessages;
  readonly #onBadArrow: OnBadArrow;
  readonly #onCorrupt: (msg: LogMsg, what: string) => void;
  readonly #onPacket: (bytes: number) => void;

  /**
   * @param options limits, what to do with corrupt Arrow data, and whom to tell
   * @param known envelopes that several decoders share; default: those of this one alone
   * @throws {RangeError} if one is out of its range
   */
  constructor(options: PacketDecoderOptions = {}, known?: KnownEnvelopes) {
    const { onBadArrow = "save", onCorrupt = () => {}, onPacket = () => {} } = options;
    checkChoice("onBadArrow", onBadArrow, ON_BAD_ARROW);
    this.#packets = new PacketMessages(decodeLimits(options), options.onHeader, known);
    this.#onBadArrow = onBadArrow;
    this.#onCorrupt = onCorrupt;
    this.#onPacket = onPacket;
  }

  /** Decodes packets, up to the first one with an error. */
  push(packets: readonly Uint8Array[]): StepResult<LogMsg> {
    const items: LogMsg[] = [];
    let error: Error | undefined;
    for (const packet of packets) {
      this.#onPacket(packet.length);
      error = this.#onBadArrow === "save"
        ? this.#packets.decodeInto(items, packet)
        : this.#guarded(items, packet, this.#onBadArrow);
      if (error !== undefined) break;
    }
    this.#packets.rest();
    return error === undefined ? { items } : { items, error };
  }

  finish(): StepResult<LogMsg> {
    return { items: [] };
  }

  #guarded(into: LogMsg[], packet: Uint8Array, onBadArrow: "drop" | "close"): Error | undefined {
    const decoded: LogMsg[] = [];
    const wrong = this.#packets.decodeInto(decoded, packet);
    const { items, error } = guardArrow(decoded, onBadArrow, this.#onCorrupt);
    for (const msg of items) into.push(msg);
    return error ?? wrong;
  }
}
