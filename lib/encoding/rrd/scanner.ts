/**
 * Scans an RRD file into parts with their places; optionally goes on over damage.
 *
 * @module
 */
import { checkOptions, checkReading } from "../../base/check_arguments.ts";
import { InvalidMessage, RerelayError, TruncatedRrd } from "../../base/errors.ts";
import type { LogMsg } from "../log_msg.ts";
import { RrdDamage, type RrdPart } from "./part.ts";
import type { Step, StepResult } from "../../base/step.ts";
import { type DecodeLimits, fileLimits } from "../limits.ts";
import { endsWithMarker } from "./rrd_encode.ts";
import { checkFooter, isTrailer, TRAILER_BYTES } from "./footer.ts";
import { decodeRrdHeader, isRrdMagic, RRD_HEADER_BYTES, type RrdHeader } from "../rrd_header.ts";
import { decodeMessage, MESSAGE_HEADER_BYTES, readMessageHeader } from "./rrd_message.ts";
import { behindZeros, looksLikeMessage, SIGNATURE_BYTES } from "./_whole.ts";
import { checkEnd, checkLengths, checkWhole } from "./_whole.ts";
import { type RrdScannerOptions, SCANNER_NAMES } from "./scanner_options.ts";
import { guessedHeaders, headerAt } from "./_guessed_headers.ts";
import { fitsItsLength, LONG_BYTES } from "./_long_messages.ts";
import { WaitingBytes } from "./waiting_bytes.ts";

export { type RrdScannerOptions, SCANNER_NAMES };

/** What is learned from the messages of a stream. */
type Templates = Parameters<typeof decodeMessage>[5];
const NOTHING: Uint8Array = new Uint8Array(0);

/** Says that more bytes must come first. */
class Needs {
  constructor(readonly bytes: number) {}
}

/**
 * RRD bytes, in any pieces → headers, messages, end markers and damaged stretches, each with its place.
 *
 * Behind an end marker only a header or the end of the file may follow; anything else is damage,
 * even a few stray bytes. Memory is bounded by the largest message. A recovering scanner gives out
 * only messages that are whole in the input; a changed byte inside data can't be noticed, since RRD
 * has no checksums.
 *
 * @example
 * ```ts
 * import { RrdScanner } from "@rerelay/server/rrd";
 * import { assertEquals } from "@std/assert";
 *
 * const scanner = new RrdScanner();
 * const header = Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 22, 1, 0, 0, 1, 0, 0);
 * const { items } = scanner.push(header);
 * assertEquals(items.map(({ kind, offset, bytes }) => [kind, offset, bytes]), [["header", 0, 12]]);
 * ```
 */
export class RrdScanner implements Step<Uint8Array, RrdPart> {
  readonly #limits: Required<DecodeLimits>;
  readonly #recover: boolean;
  readonly #checkInside: boolean;
  readonly #isLenient: boolean;
  readonly #templates: Templates;
  readonly #sizeBytes: number;
  readonly #searchBytes: number;
  /** Bytes that came and were not read. */
  readonly #waiting: WaitingBytes;
  #buffer = NOTHING;
  #at = 0;
  /** Where the buffer begins in the file. */
  #base = 0;
  #header: RrdHeader | undefined;
  /** Where the header is that was read last. */
  #headerAt = 0;
  #state: "start" | "next" | "behind the end" | "damage" | "over" = "start";
  #damage: { readonly offset: number; readonly error: Error; isBehindEnd: boolean } | undefined;
  #final = false;

  /**
   * Expects the first byte of a file.
   *
   * @param options limits of a message, and whether to go on behind damage
   * @param templates makes decoding faster if envelopes repeat; not used if the inside is checked
   * @param waiting where bytes are read that come next
   */
  constructor(options: RrdScannerOptions = {}, templates?: Templates, waiting?: WaitingBytes) {
    checkOptions("RrdScanner", options, SCANNER_NAMES);
    checkReading(options);
    const { recover = false, checkInside = false, isLenient = false, sizeBytes } = options;
    this.#searchBytes = options.searchBytes ?? Infinity;
    this.#sizeBytes = sizeBytes ?? Infinity;
    this.#waiting = waiting ?? new WaitingBytes(sizeBytes !== undefined);
    this.#limits = fileLimits(options);
    this.#recover = recover;
    this.#checkInside = checkInside || recover;
    this.#isLenient = isLenient;
    this.#templates = this.#checkInside ? undefined : templates;
  }

  /** Where reading has come to, in bytes. */
  get offset(): number {
    return this.#base + this.#at;
  }

  /**
   * Whether a search goes on: then only empty pushes are allowed, which continue it.
   *
   * @internal
   */
  isSearching = false;

  /** Takes the next bytes, which are kept: they must not be written to any more. */
  push(bytes: Uint8Array): StepResult<RrdPart> {
    if (this.#state === "over") return { items: [] };
    if (bytes.length > 0) this.#waiting.add(bytes);
    return this.#waiting.length < this.#waiting.need ? { items: [] } : this.#scan();
  }

  /** Says that the file ends here. */
  finish(): StepResult<RrdPart> {
    this.#final = true;
    return this.#state === "over" ? { items: [] } : this.#scan();
  }

  #scan(): StepResult<RrdPart> {
    this.#buffer = this.#waiting.bytes;
    this.#at = 0;
    this.isSearching = false;
    const items: RrdPart[] = [];
    try {
      let needs: Needs | undefined;
      while (needs === undefined && this.#state !== "over") needs = this.#step(items);
      this.#waiting.need = needs?.bytes ?? 0;
    } catch (error) {
      this.#state = "over";
      // Anything else is a bug of ours, which has to be seen with its stack.
      if (!(error instanceof RerelayError)) throw error;
      return { items, error: new RrdDamage(this.offset, error) };
    } finally {
      this.#keepRest();
    }
    return { items };
  }

  #keepRest(): void {
    const rest = this.#state === "over" ? NOTHING : this.#buffer.subarray(this.#at);
    this.#base += this.#at;
    this.#at = 0;
    this.#waiting.bytes = rest;
    this.#buffer = NOTHING;
  }

  get #left(): number {
    return this.#buffer.length - this.#at;
  }

  #step(items: RrdPart[]): Needs | undefined {
    if (this.#state === "damage") return this.#resync(items);
    if (this.#left === 0 && this.#final) {
      if (this.#state === "start" && !this.#recover) {
        throw new TruncatedRrd(0, RRD_HEADER_BYTES, "a header");
      }
      this.#endUnmarked(items);
      this.#state = "over";
      return undefined;
    }
    try {
      return this.#readNext(items);
    } catch (error) {
      if (!this.#recover) throw error;
      const isBehindEnd = this.#state === "behind the end";
      this.#damage = { offset: this.offset, error: error as Error, isBehindEnd };
      this.#state = "damage";
      return undefined;
    }
  }

  #readNext(items: RrdPart[]): Needs | undefined {
    const isHeader = this.#state === "start" ||
      (this.#left >= 4 && isRrdMagic(this.#buffer, this.#at));
    if (isHeader) {
      const needs = this.#lacks(RRD_HEADER_BYTES, "a header");
      if (needs !== undefined) return needs;
      const header = decodeRrdHeader(this.#buffer.subarray(this.#at));
      this.#endUnmarked(items);
      this.#readHeader(header, items);
      return undefined;
    }
    if (this.#state === "behind the end") {
      if (this.#left < RRD_HEADER_BYTES && !this.#final) return new Needs(RRD_HEADER_BYTES);
      throw new InvalidMessage(
        "Data behind an end marker: neither a header nor the end of the file",
      );
    }
    const header = this.#header!;
    const size = MESSAGE_HEADER_BYTES[header.serializer];
    const needs = this.#lacks(size, "a message");
    if (needs !== undefined) return needs;
    const { maxMessageBytes } = this.#limits;
    const message = readMessageHeader(header, this.#buffer, this.#at, maxMessageBytes);
    if (message.end) return this.#readEnd(size, message.length, items);
    if (!this.#isLenient) checkLengths(header, message, this.#buffer, this.#at);
    return this.#readMessage(header, size + message.length, items);
  }

  #readEnd(size: number, footer: number, items: RrdPart[]): Needs | undefined {
    const withFooter = size + footer + TRAILER_BYTES;
    if (footer > 0) {
      const needs = this.#lacks(withFooter, "a footer");
      if (needs !== undefined) return needs;
    } else if (this.#header!.serializer === "protobuf" && this.#left < withFooter && !this.#final) {
      return new Needs(withFooter);
    }
    // A file without data has only a trailer.
    const hasFooter = footer > 0 || isTrailer(this.#buffer, this.#at + size);
    const bytes = hasFooter ? withFooter : size;
    if (hasFooter && !this.#isLenient) {
      const start = this.offset + size;
      const end = this.#at + bytes;
      checkFooter(this.#buffer.subarray(this.#at + size, end), [start, start - this.#headerAt]);
    }
    const index = this.#buffer.subarray(this.#at + size, this.#at + size + footer);
    const listed = footer > 0 ? { footer: index } : {};
    items.push({ kind: "end", offset: this.offset, bytes, ...listed });
    this.#at += bytes;
    this.#state = "behind the end";
    return undefined;
  }

  /** Notes that a stream ended without the end marker that Rerun writes since 0.19. */
  #endUnmarked(items: RrdPart[]): void {
    const header = this.#header;
    if (this.#state !== "next" || header === undefined || !endsWithMarker(header)) return;
    items.push({ kind: "no-end", offset: this.offset, bytes: 0, header });
  }

  #readMessage(header: RrdHeader, bytes: number, items: RrdPart[]): Needs | undefined {
    const needs = this.#lacks(bytes, "a message");
    if (needs !== undefined) return this.#await(header, needs);
    const msg = this.#decode(header, this.#at);
    items.push({ kind: "message", offset: this.offset, bytes, header, msg });
    this.#at += bytes;
    this.#state = "next";
    return undefined;
  }

  #readHeader(read: RrdHeader, items: RrdPart[]): void {
    // An equal header stays the same object: captures have one before each message.
    const isKnown = this.#header?.bytes.every((byte, i) => read.bytes[i] === byte) ?? false;
    const header = this.#header = isKnown ? this.#header! : read;
    const offset = this.#headerAt = this.offset;
    items.push({ kind: "header", offset, bytes: RRD_HEADER_BYTES, header, isGuessed: false });
    this.#at += RRD_HEADER_BYTES;
    this.#state = "next";
  }

  #lacks(bytes: number, what: string): Needs | undefined {
    if (this.#left >= bytes) return undefined;
    if (this.#final) throw new TruncatedRrd(this.#left, bytes, what);
    const rest = this.#sizeBytes - this.offset;
    if (bytes > rest) throw new TruncatedRrd(Math.max(rest, this.#left), bytes, what);
    return new Needs(bytes);
  }

  /** Looks at the beginning of a long message before all of it is in memory. */
  #await(header: RrdHeader, needs: Needs): Needs {
    if (!this.#checkInside || needs.bytes <= LONG_BYTES) return needs;
    if (this.#left < LONG_BYTES) return new Needs(LONG_BYTES);
    if (fitsItsLength(header, this.#buffer.subarray(this.#at), needs.bytes, this.#limits)) {
      return needs;
    }
    throw new InvalidMessage(`A message that does not begin as one of ${needs.bytes} bytes`);
  }

  #decode(header: RrdHeader, at: number): LogMsg {
    const { maxMessageBytes } = this.#limits;
    const message = readMessageHeader(header, this.#buffer, at, maxMessageBytes);
    const msg = decodeMessage(header, message, this.#buffer, at, this.#limits, this.#templates);
    if (!this.#isLenient) checkEnd(msg, this.#limits);
    if (!this.#checkInside) return msg;
    checkWhole(msg, this.#limits);
    const isPlain = header.serializer === "msgpack" && header.compression === "off";
    if (isPlain && !looksLikeMessage(header, this.#buffer, at)) {
      throw new InvalidMessage("A message that has no known name");
    }
    return msg;
  }

  /** Looks for the next header or whole message. */
  #resync(items: RrdPart[]): Needs | undefined {
    const headers = guessedHeaders(this.#header);
    const pauseAt = this.#at + this.#searchBytes;
    for (; this.#left > 0; this.#at++) {
      if (this.#at >= pauseAt) {
        this.isSearching = true;
        return new Needs(0);
      }
      this.#at = behindZeros(this.#buffer, this.#at);
      if (this.#left < SIGNATURE_BYTES && !this.#final) return new Needs(SIGNATURE_BYTES);
      const header = headerAt(this.#buffer, this.#at);
      if (header !== undefined) {
        this.#endDamage(items);
        this.#readHeader(header, items);
        return undefined;
      }
      for (const header of headers) {
        const found = this.#messageHere(header);
        if (found === undefined) continue;
        if (found instanceof Needs) return found;
        this.#endDamage(items);
        if (header !== this.#header) {
          const { offset } = this;
          this.#header = header;
          items.push({ kind: "header", offset, bytes: 0, header, isGuessed: true });
        }
        return this.#readMessage(header, found, items);
      }
    }
    if (!this.#final) return new Needs(SIGNATURE_BYTES);
    this.#endDamage(items);
    this.#state = "over";
    return undefined;
  }

  /** The length of the whole message that begins here. */
  #messageHere(header: RrdHeader): number | Needs | undefined {
    if (!looksLikeMessage(header, this.#buffer, this.#at)) return undefined;
    try {
      const { end, length } = readMessageHeader(
        header,
        this.#buffer,
        this.#at,
        this.#limits.maxMessageBytes,
      );
      if (end) return undefined;
      const bytes = MESSAGE_HEADER_BYTES[header.serializer] + length;
      if (this.#left < bytes) {
        const isCut = this.#final || bytes > this.#sizeBytes - this.offset;
        return isCut ? undefined : this.#await(header, new Needs(bytes));
      }
      this.#decode(header, this.#at);
      return bytes;
    } catch {
      return undefined; // only looks like one
    }
  }

  #endDamage(items: RrdPart[]): void {
    const { offset, error, isBehindEnd } = this.#damage!;
    const bytes = this.offset - offset;
    // A missing header leaves no damaged bytes, and neither does one behind an end marker.
    if (bytes > 0 || isBehindEnd) items.push({ kind: "damage", offset, bytes, error });
    this.#damage = undefined;
  }
}
