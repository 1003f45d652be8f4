import { checkCallable, checkOptions } from "../../base/check_arguments.ts";
import { Announced } from "../announced.ts";
import type { LogMsg } from "../log_msg.ts";
import { RrdScanner } from "./scanner.ts";
import type { RrdPart } from "./part.ts";
import type { Step, StepResult } from "../../base/step.ts";
import { DECODE_LIMITS, type DecodeLimits, decodeLimits } from "../limits.ts";
import { EnvelopeTemplates } from "../msgpack/envelope_templates.ts";
import { PacketMessages } from "./_packet_messages.ts";
import type { RrdHeader } from "../rrd_header.ts";

/** Options of {@linkcode RrdDecoder} and `RrdDecodeStream`. */
export interface RrdDecoderOptions extends DecodeLimits {
  /** Called with every header that differs from the one before. */
  readonly onHeader?: (header: RrdHeader) => void;
}

/**
 * RRD bytes → log messages, in any pieces, one stream after another.
 *
 * All four encodings of Rerun 0.9 to 0.22 and the messages of later ones are read. A new header may
 * come wherever a message could, and behind an end marker, where nothing else may follow.
 *
 * @example
 * ```ts
 * import { RrdDecoder } from "@rerelay/server/encoding";
 * import { assertEquals } from "@std/assert";
 *
 * const decoder = new RrdDecoder();
 * const header = Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 22, 1, 0, 0, 1, 0, 0);
 * assertEquals(decoder.push(header), { items: [] });
 * assertEquals(decoder.finish(), { items: [] });
 * ```
 */
export class RrdDecoder implements Step<Uint8Array, LogMsg> {
  readonly #options: DecodeLimits;
  readonly #onHeader: (header: RrdHeader) => void;
  readonly #packets: PacketMessages;
  readonly #announced = new Announced();
  #scanner: RrdScanner;
  /** Header of the stream, as the scanner gave it last. */
  #header: RrdHeader | undefined;

  /**
   * Expects the first byte of an RRD stream.
   *
   * @param options limits of a message, and whom to tell of headers
   */
  constructor(options: RrdDecoderOptions = {}) {
    checkOptions("RrdDecoder", options, { ...DECODE_LIMITS, onHeader: true });
    checkCallable(options, ["onHeader"]);
    const { onHeader = () => {}, ...limits } = options;
    this.#options = limits;
    this.#onHeader = onHeader;
    this.#packets = new PacketMessages(decodeLimits(limits), onHeader);
    this.#scanner = this.#newScanner();
  }

  /** Where decoding has come to, in bytes since the beginning or the last reset. */
  get offset(): number {
    return this.#scanner.offset;
  }

  /** Takes the next bytes; after an error the rest is ignored until {@linkcode RrdDecoder.reset}. */
  push(bytes: Uint8Array): StepResult<LogMsg> {
    return this.#messages(this.#scanner.push(bytes));
  }

  /**
   * Says that the data ends here.
   *
   * @returns the error {@linkcode TruncatedRrd} if it does so inside a stream's header or a message
   */
  finish(): StepResult<LogMsg> {
    return this.#messages(this.#scanner.finish());
  }

  /** Begins anew, with another stream. */
  reset(): void {
    this.#scanner = this.#newScanner();
  }

  /**
   * Decodes a packet, which holds a whole RRD stream: either all of its messages or an error.
   *
   * Packets are read as the Rerun server reads them: what stands behind an end marker is ignored.
   *
   * @param packet the bytes of the packet
   */
  decodePacket(packet: Uint8Array): StepResult<LogMsg> {
    const items: LogMsg[] = [];
    const error = this.#packets.decodeInto(items, packet);
    this.#packets.rest();
    this.#announced.tell(items);
    return error === undefined ? { items } : { items, error };
  }

  #newScanner(): RrdScanner {
    return new RrdScanner({ ...this.#options, isLenient: true }, new EnvelopeTemplates());
  }

  #messages({ items: parts, error }: StepResult<RrdPart>): StepResult<LogMsg> {
    const items: LogMsg[] = [];
    for (const part of parts) {
      if (part.kind === "message") items.push(part.msg);
      else if (part.kind === "header" && part.header !== this.#header) {
        this.#header = part.header;
        this.#onHeader(part.header);
      }
    }
    this.#announced.tell(items);
    return error === undefined ? { items } : { items, error: error.cause as Error };
  }
}
