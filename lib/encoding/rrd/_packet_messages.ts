/**
 * Decodes the messages of one packet: a whole RRD stream in memory, read as the Rerun server does.
 *
 * @module
 */
import { MessageLimit, RerelayError, TruncatedRrd } from "../../base/errors.ts";
import type { LogMsg } from "../log_msg.ts";
import type { KnownEnvelopes } from "../msgpack/known_envelopes.ts";
import { EnvelopeTemplates } from "../msgpack/envelope_templates.ts";
import type { DecodeLimits } from "../limits.ts";
import { decodeRrdHeader, isRrdMagic, RRD_HEADER_BYTES, type RrdHeader } from "../rrd_header.ts";
import { TRAILER_BYTES } from "./footer.ts";
import {
  decodeMessage,
  MESSAGE_HEADER_BYTES,
  type MessageHeader,
  readMessageHeader,
} from "./rrd_message.ts";

/** Fewer bytes than this where a message should begin are ignored. */
const PEEK_BYTES = 8;

/** Decodes the packets of one connection, which have much in common. */
export class PacketMessages {
  readonly #limits: Required<DecodeLimits>;
  readonly #onHeader: (header: RrdHeader) => void;
  readonly #templates: EnvelopeTemplates;
  #header: RrdHeader | undefined;
  #left = 0;

  /**
   * @param limits of a packet
   * @param onHeader called with every header unlike the one before
   * @param known envelopes that several connections share; default: those of this one alone
   */
  constructor(
    limits: Required<DecodeLimits>,
    onHeader: (header: RrdHeader) => void = () => {},
    known?: KnownEnvelopes,
  ) {
    this.#limits = limits;
    this.#onHeader = onHeader;
    this.#templates = new EnvelopeTemplates(known);
  }

  /**
   * Decodes all messages of a packet, or none of them.
   *
   * @param items where they are added
   * @param packet the bytes of the packet
   * @returns the error, for which nothing was added
   */
  decodeInto(items: LogMsg[], packet: Uint8Array): Error | undefined {
    const before = items.length;
    this.#left = this.#limits.maxMessagesPerPacket;
    try {
      const single = this.#singleOf(packet);
      if (single === undefined) this.#readAll(items, packet);
      else items.push(this.#decode(single, packet, RRD_HEADER_BYTES));
      return undefined;
    } catch (error) {
      // Anything else is a bug of ours, which has to be seen with its stack.
      if (!(error instanceof RerelayError)) throw error;
      items.length = before;
      return error;
    }
  }

  /** Drops references to decoded packets; to be called when no others follow at once. */
  rest(): void {
    this.#templates.rest();
  }

  /**
   * The message of a packet as SDKs send it: with the same header as before, and one message up to
   * the end.
   */
  #singleOf(packet: Uint8Array): MessageHeader | undefined {
    const header = this.#header;
    if (header?.serializer !== "msgpack" || !startsWith(packet, 0, header.bytes)) return undefined;
    const start = RRD_HEADER_BYTES + MESSAGE_HEADER_BYTES.msgpack;
    if (packet.length <= start || this.#left < 1) return undefined;
    const message = readMessageHeader(header, packet, RRD_HEADER_BYTES, Infinity);
    const isSingle = Math.max(message.length, message.inflated) <= this.#limits.maxMessageBytes &&
      start + message.length === packet.length;
    return isSingle ? message : undefined;
  }

  #readAll(items: LogMsg[], packet: Uint8Array): void {
    let at = this.#readHeader(packet, 0);
    while (packet.length - at >= PEEK_BYTES) {
      if (isRrdMagic(packet, at)) {
        this.#count("messages and headers in a packet");
        at = this.#readHeader(packet, at);
        continue;
      }
      const size = MESSAGE_HEADER_BYTES[this.#header!.serializer];
      if (packet.length - at < size) return;
      const { maxMessageBytes } = this.#limits;
      const message = readMessageHeader(this.#header!, packet, at, maxMessageBytes);
      const footer = message.length === 0 ? 0 : message.length + TRAILER_BYTES;
      const end = at + size + (message.end ? footer : message.length);
      if (packet.length < end) {
        const what = message.end ? "a footer" : "a message";
        throw new TruncatedRrd(packet.length - at, end - at, what);
      }
      if (!message.end) {
        this.#count("messages in a packet");
        items.push(this.#decode(message, packet, at));
      } // Behind an end marker everything but another stream is ignored.
      else if (packet.length - end < RRD_HEADER_BYTES || !isRrdMagic(packet, end)) return;
      at = end;
    }
  }

  /** Reads a header, and returns where it ends; an equal header stays the same object. */
  #readHeader(packet: Uint8Array, at: number): number {
    const end = at + RRD_HEADER_BYTES;
    if (packet.length < end) {
      throw new TruncatedRrd(packet.length - at, RRD_HEADER_BYTES, "a header");
    }
    if (this.#header === undefined || !startsWith(packet, at, this.#header.bytes)) {
      this.#header = decodeRrdHeader(packet.subarray(at, end));
      this.#onHeader(this.#header);
    }
    return end;
  }

  #count(what: string): void {
    if (this.#left-- > 0) return;
    const { maxMessagesPerPacket: limit } = this.#limits;
    throw new MessageLimit(limit + 1, limit, "maxMessagesPerPacket", what);
  }

  #decode(message: MessageHeader, packet: Uint8Array, at: number): LogMsg {
    return decodeMessage(this.#header!, message, packet, at, this.#limits, this.#templates);
  }
}

function startsWith(bytes: Uint8Array, at: number, prefix: Uint8Array): boolean {
  for (let i = 0; i < prefix.length; i++) if (bytes[at + i] !== prefix[i]) return false;
  return true;
}
