import { Assembler } from "../../memory/assembler.ts";
import { MessageLimit, RerelayError, TruncatedRrd } from "../../base/errors.ts";
import type { LogMsg } from "../log_msg.ts";
import type { Step, StepResult } from "../../base/step.ts";
import { EnvelopeTemplates } from "../msgpack/envelope_templates.ts";
import { type DecodeLimits, decodeLimits, fileLimits } from "../limits.ts";
import { decodeRrdHeader, isRrdMagic, RRD_HEADER_BYTES, type RrdHeader } from "./rrd_header.ts";
import {
  decodeMessage,
  MESSAGE_HEADER_BYTES,
  type MessageHeader,
  readMessageHeader,
} from "./rrd_message.ts";

/** Options of {@linkcode RrdDecoder} and `RrdDecodeStream`. */
export interface RrdDecoderOptions extends DecodeLimits {
  /** Called with every header that differs from the one before. */
  readonly onHeader?: (header: RrdHeader) => void;
}

/** As much as tells a message from the header of the next stream. */
const PEEK_BYTES = 8;
/** What stands behind the footer message of files that SDK 0.28 and later closed. */
const TRAILER_BYTES = 32;

/** What has to be whole next. */
type Expected = "header" | "peek" | "message header" | "message" | "footer" | "next" | "nothing";

/**
 * RRD bytes → log messages, in any pieces, one stream after another.
 *
 * All four encodings of Rerun 0.9 to 0.22 and the messages of later ones are read. A new header may
 * stand wherever a message could, and behind an end marker; whatever else is there is ignored.
 *
 * @example
 * ```ts
 * import { RrdDecoder } from "@rerelay/server";
 * import { assertEquals } from "@std/assert";
 *
 * const decoder = new RrdDecoder();
 * const header = Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 22, 1, 0, 0, 1, 0, 0);
 * assertEquals(decoder.push(header), { items: [] });
 * assertEquals(decoder.finish(), { items: [] });
 * ```
 */
export class RrdDecoder implements Step<Uint8Array, LogMsg> {
  readonly #assembler = new Assembler();
  readonly #templates = new EnvelopeTemplates();
  readonly #limits: Required<DecodeLimits>;
  readonly #fileLimits: Required<DecodeLimits>;
  #isPacket = false;
  /** How many messages there may be. */
  #messagesLeft = Infinity;
  readonly #onHeader: (header: RrdHeader) => void;
  #header: RrdHeader | undefined;
  #message: MessageHeader | undefined;
  #expected: Expected = "header";
  /** How many bytes make it whole. */
  #need = RRD_HEADER_BYTES;
  #offset = 0;

  /**
   * Expects the first byte of an RRD stream.
   *
   * @param options limits of a message, and whom to tell of headers
   */
  constructor(options: RrdDecoderOptions = {}) {
    this.#limits = decodeLimits(options);
    this.#fileLimits = fileLimits(options);
    this.#onHeader = options.onHeader ?? (() => {});
  }

  /** Where the first thing begins that was not decoded yet, in bytes since the beginning or reset. */
  get offset(): number {
    return this.#offset;
  }

  /** Takes the next bytes; after an error the rest is ignored until {@linkcode RrdDecoder.reset}. */
  push(bytes: Uint8Array): StepResult<LogMsg> {
    const items: LogMsg[] = [];
    const assembler = this.#assembler;
    let at = 0;
    try {
      while (this.#expected !== "nothing") {
        if (assembler.filled === 0 && bytes.length - at >= this.#need) {
          at += this.#read(bytes, at, items);
        } else {
          at = assembler.fill(bytes, at, this.#need);
          if (assembler.filled < this.#need) break;
          if (this.#read(assembler.view(), 0, items) > 0) assembler.take();
        }
      }
    } catch (error) {
      // What no peer can cause is a bug, which has to be seen with its stack.
      if (!(error instanceof RerelayError)) throw error;
      this.#expect("nothing", 0);
      return { items, error };
    }
    return { items };
  }

  /**
   * Says that the data ends here.
   *
   * @returns the error {@linkcode TruncatedRrd} if it does so inside a stream's header or a message;
   * a few bytes where a message should begin are ignored, as the Rerun server does
   */
  finish(): StepResult<LogMsg> {
    const expected = this.#expected;
    if (expected !== "header" && expected !== "message" && expected !== "footer") {
      return { items: [] };
    }
    return {
      items: [],
      error: new TruncatedRrd(this.#assembler.filled, this.#need, `a ${expected}`),
    };
  }

  /** Begins anew, with another stream. */
  reset(): void {
    this.#assembler.clear();
    this.#expect("header", RRD_HEADER_BYTES);
    this.#offset = 0;
    this.#isPacket = false;
    this.#messagesLeft = Infinity;
  }

  /**
   * Decodes a packet, which holds a whole RRD stream: either all of its messages or an error.
   *
   * @param packet the bytes of the packet
   */
  decodePacket(packet: Uint8Array): StepResult<LogMsg> {
    const items: LogMsg[] = [];
    const error = this.decodePacketInto(items, packet);
    return error === undefined ? { items } : { items, error };
  }

  /**
   * The same for one of many packets, whose messages share an array.
   *
   * @internal
   * @param items where the messages are added
   * @param packet the bytes of the packet
   * @returns the error, if nothing was added for it
   */
  decodePacketInto(items: LogMsg[], packet: Uint8Array): Error | undefined {
    this.reset();
    this.#isPacket = true;
    this.#messagesLeft = this.#limits.maxMessagesPerPacket;
    if (this.#messagesLeft >= 1 && this.#isSingle(packet)) return this.#decodeSingle(items, packet);
    const { items: msgs, error = this.finish().error } = this.push(packet);
    if (error === undefined) { for (const msg of msgs) items.push(msg); }
    return error;
  }

  /** Whether a packet is what SDKs send: the header from before, then one message up to its end. */
  #isSingle(packet: Uint8Array): boolean {
    const header = this.#header;
    if (header?.serializer !== "msgpack" || !startsWith(packet, 0, header.bytes)) return false;
    const start = RRD_HEADER_BYTES + MESSAGE_HEADER_BYTES.msgpack;
    if (packet.length <= start) return false;
    const message = readMessageHeader(header, packet, RRD_HEADER_BYTES, Infinity);
    this.#message = message;
    return Math.max(message.length, message.inflated) <= this.#limits.maxMessageBytes &&
      start + message.length === packet.length;
  }

  #decodeSingle(items: LogMsg[], packet: Uint8Array): Error | undefined {
    try {
      items.push(this.#decode(this.#message!, packet, RRD_HEADER_BYTES));
      this.#offset = packet.length;
      return undefined;
    } catch (error) {
      if (!(error instanceof RerelayError)) throw error;
      return error;
    }
  }

  #expect(what: Expected, need: number): void {
    this.#expected = what;
    this.#need = need;
  }

  /** Reads what is whole now; returns how many bytes are done with, 0 where more must follow first. */
  #read(bytes: Uint8Array, at: number, items: LogMsg[]): number {
    const done = this.#need;
    switch (this.#expected) {
      case "header":
        if (this.#offset > 0) this.#count("messages and headers in a packet");
        this.#readHeader(bytes, at);
        this.#expect("peek", PEEK_BYTES);
        break;
      case "peek":
        if (isRrdMagic(bytes, at)) this.#expect("header", RRD_HEADER_BYTES);
        else this.#expect("message header", MESSAGE_HEADER_BYTES[this.#header!.serializer]);
        return 0;
      case "message header": {
        this.#message = readMessageHeader(this.#header!, bytes, at, this.#limits.maxMessageBytes);
        const { end, length } = this.#message;
        if (!end) this.#expect("message", done + length);
        else if (length > 0) this.#expect("footer", done + length + TRAILER_BYTES);
        else {
          this.#expect("next", RRD_HEADER_BYTES);
          break;
        }
        return 0;
      }
      case "message":
        this.#count("messages in a packet");
        items.push(this.#decode(this.#message!, bytes, at));
        this.#expect("peek", PEEK_BYTES);
        break;
      case "footer":
        this.#expect("next", RRD_HEADER_BYTES);
        break;
      case "next":
        if (isRrdMagic(bytes, at)) this.#expect("header", RRD_HEADER_BYTES);
        else this.#expect("nothing", 0);
        return 0;
    }
    this.#offset += done;
    return done;
  }

  #count(what: string): void {
    if (this.#messagesLeft-- > 0) return;
    const { maxMessagesPerPacket: limit } = this.#limits;
    throw new MessageLimit(limit + 1, limit, "maxMessagesPerPacket", what);
  }

  #decode(message: MessageHeader, bytes: Uint8Array, at: number): LogMsg {
    const limits = this.#isPacket ? this.#limits : this.#fileLimits;
    return decodeMessage(this.#header!, message, bytes, at, limits, this.#templates);
  }

  /** Headers repeat with every packet: an equal one is the same object. */
  #readHeader(bytes: Uint8Array, at: number): void {
    if (this.#header !== undefined && startsWith(bytes, at, this.#header.bytes)) return;
    this.#header = decodeRrdHeader(bytes.subarray(at, at + RRD_HEADER_BYTES));
    this.#onHeader(this.#header);
  }
}

function startsWith(bytes: Uint8Array, at: number, prefix: Uint8Array): boolean {
  for (let i = 0; i < prefix.length; i++) if (bytes[at + i] !== prefix[i]) return false;
  return true;
}
