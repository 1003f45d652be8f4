/**
 * Decodes envelopes that repeat: an SDK writes the same keys in the same order, message after
 * message.
 *
 * A template is the envelope of an earlier message with its integers left open. Comparing a message
 * with it, eight bytes at a time, tells everything but these integers, in a fifth of the time that
 * reading takes. A message that fits no template is read in full; tests compare the results of both
 * ways.
 *
 * @module
 */
import type { Encoded, TimelineTime } from "../message_parts.ts";
import { ArrowMsg } from "../arrow_msg.ts";
import { type EnvelopeTemplate, readTimeAt, sketchEnvelope } from "./_envelope_sketch.ts";
import { KnownEnvelopes } from "./known_envelopes.ts";
import { Interned } from "../interned.ts";
import { Tuid } from "../tuid.ts";

/**
 * How many templates are tried one after the other: an SDK alternates between a few kinds of chunks. Where
 * many recordings come by one stream, others are looked up.
 */
const MAX_RECENT = 4;
/** If envelopes do not repeat, a template is made only of one in so many. */
const TRY_EVERY = 64;

/** The templates of one stream of messages. */
export class EnvelopeTemplates {
  /** Short texts of messages that fit no template, which repeat as well. */
  readonly texts: Interned = new Interned();
  /** Those that fitted or were made last. */
  readonly #recent: EnvelopeTemplate[] = [];
  #next = 0;
  /** Those made since there were more than a few. */
  #known: KnownEnvelopes | undefined;
  /** How many templates were made since one last fitted. */
  #useless = 0;
  /** How many messages have fitted none since then. */
  #missed = 0;
  /** A view of the last message's buffer, in which many messages may be. */
  #view: DataView | undefined;

  /** @param known shared with other streams; default: those of this one alone */
  constructor(known?: KnownEnvelopes) {
    this.#known = known;
  }

  /**
   * Decodes a message whose envelope was seen before.
   *
   * @param bytes where it is
   * @param start where the msgpack value begins
   * @param end where the message ends
   * @param encoded the message as it came, for the result
   * @returns nothing if it fits no template, or is damaged
   */
  decode(
    bytes: Uint8Array,
    start: number,
    end: number,
    encoded: Encoded,
  ): ArrowMsg | undefined {
    const { buffer, byteOffset } = bytes;
    const view = this.#viewOf(buffer);
    const at = byteOffset + start;
    const template = this.#find(view, at, byteOffset + end);
    if (template === undefined) return undefined;
    const data = arrowData(bytes, buffer, start + template.length, end);
    if (data === undefined) return undefined;
    const msg = fill(template, view, at, data, encoded);
    if (msg !== undefined) this.#useless = this.#missed = 0;
    return msg;
  }

  /** Drops the buffer of the last message, which an idle client must not keep alive. */
  rest(): void {
    this.#view = undefined;
  }

  /**
   * Makes a template of a message that fitted none and was read without an error.
   *
   * @param bytes where it is
   * @param start where the msgpack value begins
   * @param msg what was read
   */
  learn(bytes: Uint8Array, start: number, msg: ArrowMsg): void {
    if (this.#useless > MAX_RECENT && ++this.#missed % TRY_EVERY !== 0) return;
    const template = sketchEnvelope(bytes, start, msg);
    if (template === undefined) return;
    this.#useless++;
    if (this.#recent.length === MAX_RECENT) {
      this.#known ??= new KnownEnvelopes();
      this.#known.add(template, this.#viewOf(bytes.buffer), bytes.byteOffset + start);
    }
    this.#use(template);
  }

  /** The template that an envelope fits; most fit one of the last. */
  #find(view: DataView, at: number, end: number): EnvelopeTemplate | undefined {
    for (const template of this.#recent) {
      const { pattern } = template;
      if (at + pattern.span <= end && pattern.matches(view, at)) return template;
    }
    const known = this.#known?.find(view, at, end);
    if (known !== undefined) this.#use(known);
    return known;
  }

  #use(template: EnvelopeTemplate): void {
    this.#recent[this.#next] = template;
    this.#next = (this.#next + 1) % MAX_RECENT;
  }

  #viewOf(buffer: ArrayBufferLike): DataView {
    if (this.#view?.buffer !== buffer) this.#view = new DataView(buffer);
    return this.#view;
  }
}

/** The binary value that begins here; nothing if there is none, or not all of it. */
function arrowData(
  bytes: Uint8Array,
  buffer: ArrayBufferLike,
  at: number,
  end: number,
): Uint8Array | undefined {
  const type = bytes[at]!;
  const width = type === 0xc5 ? 2 : type === 0xc6 ? 4 : type === 0xc4 ? 1 : 0;
  const start = at + 1 + width;
  if (width === 0 || start > end) return undefined;
  let length = 0;
  for (let i = at + 1; i < start; i++) length = length * 256 + bytes[i]!;
  if (start + length > end) return undefined;
  return new Uint8Array(buffer, bytes.byteOffset + start, length);
}

function fill(
  template: EnvelopeTemplate,
  view: DataView,
  at: number,
  data: Uint8Array,
  encoded: Encoded,
): ArrowMsg | undefined {
  const times: TimelineTime[] = [];
  for (const { name, type, at: place, wire } of template.timelines) {
    const time = readTimeAt(view, at + place, wire);
    if (time === undefined) return undefined;
    times.push({ name, type, time });
  }
  const chunkId = new Tuid(
    view.getBigUint64(at + template.timeNsAt),
    view.getBigUint64(at + template.incAt),
  );
  const arrow = { bytes: data, compression: "off" as const, uncompressedSize: data.length };
  return new ArrowMsg(template.storeId, chunkId, times, undefined, arrow, encoded);
}
