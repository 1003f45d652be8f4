/**
 * What an RRD file consists of, with the place of everything in it; optionally over damage.
 *
 * @module
 */
import { RerelayError, TruncatedRrd } from "../../base/errors.ts";
import type { LogMsg } from "../log_msg.ts";
import { RrdDamage, type RrdPart } from "./part.ts";
import type { Step, StepResult } from "../../base/step.ts";
import { type DecodeLimits, fileLimits, MAX_MESSAGE_BYTES } from "../limits.ts";
import { decodeRrdHeader, isRrdMagic, RRD_HEADER_BYTES, type RrdHeader } from "./rrd_header.ts";
import { decodeMessage, MESSAGE_HEADER_BYTES, readMessageHeader } from "./rrd_message.ts";
import { checkWhole, looksLikeMessage, SIGNATURE_BYTES } from "./_whole.ts";
import { guessedHeaders } from "./_guessed_headers.ts";

/** Options of {@linkcode RrdScanner}. */
export interface RrdScannerOptions {
  /** Limit of a message in bytes; default 512 MiB. */
  readonly maxMessageBytes?: number;
  /** Whether to look for whole messages behind damage; else the first damage ends it. */
  readonly recover?: boolean;
}

/** Behind the footer message of files that SDK 0.28 and later closed. */
const TRAILER_BYTES = 32;
const NOTHING: Uint8Array = new Uint8Array(0);

/** More bytes must come first. */
class Needs {
  constructor(readonly bytes: number) {}
}

/**
 * RRD bytes, in any pieces → headers, messages, end markers and damaged stretches, each with its place.
 *
 * Memory is bounded by the largest message. A recovering scanner hands out only messages that are
 * whole in the input; a flipped byte inside data can't be seen, as RRD has no checksums.
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
  readonly #limit: number;
  readonly #limits: Required<DecodeLimits>;
  readonly #recover: boolean;
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #need = RRD_HEADER_BYTES;
  #buffer = NOTHING;
  #at = 0;
  /** Where the buffer begins in the file. */
  #base = 0;
  #header: RrdHeader | undefined;
  #state: "start" | "next" | "behind the end" | "damage" | "over" = "start";
  #damage: { readonly offset: number; readonly error: Error } | undefined;
  #final = false;

  /**
   * Expects the first byte of a file.
   *
   * @param options limit of a message, and whether to go on behind damage
   */
  constructor({ maxMessageBytes = MAX_MESSAGE_BYTES, recover = false }: RrdScannerOptions = {}) {
    this.#limit = maxMessageBytes;
    this.#limits = fileLimits({ maxMessageBytes });
    this.#recover = recover;
  }

  /** Takes the next bytes, which are kept: they must not be written to any more. */
  push(bytes: Uint8Array): StepResult<RrdPart> {
    if (this.#state === "over") return { items: [] };
    this.#waiting.push(bytes);
    this.#waitingBytes += bytes.length;
    return this.#waitingBytes < this.#need ? { items: [] } : this.#scan();
  }

  /** Says that the file ends here. */
  finish(): StepResult<RrdPart> {
    this.#final = true;
    return this.#state === "over" ? { items: [] } : this.#scan();
  }

  #scan(): StepResult<RrdPart> {
    this.#join();
    const items: RrdPart[] = [];
    try {
      let needs: Needs | undefined;
      while (needs === undefined && this.#state !== "over") needs = this.#step(items);
      this.#need = needs?.bytes ?? 0;
    } catch (error) {
      this.#state = "over";
      return { items, error: new RrdDamage(this.#base + this.#at, error as Error) };
    } finally {
      this.#keepRest();
    }
    return { items };
  }

  #join(): void {
    if (this.#waiting.length === 1) this.#buffer = this.#waiting[0]!;
    else {
      this.#buffer = new Uint8Array(this.#waitingBytes);
      let at = 0;
      for (const bytes of this.#waiting) {
        this.#buffer.set(bytes, at);
        at += bytes.length;
      }
    }
    this.#at = 0;
  }

  #keepRest(): void {
    const rest = this.#state === "over" ? NOTHING : this.#buffer.subarray(this.#at);
    this.#base += this.#at;
    this.#waiting = [rest];
    this.#waitingBytes = rest.length;
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
      this.#state = "over";
      return undefined;
    }
    try {
      return this.#readNext(items);
    } catch (error) {
      if (!this.#recover) throw error;
      this.#damage = { offset: this.#base + this.#at, error: error as Error };
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
      this.#readHeader(decodeRrdHeader(this.#buffer.subarray(this.#at)), items);
      return undefined;
    }
    const header = this.#header!;
    const size = MESSAGE_HEADER_BYTES[header.serializer];
    const enough = this.#state === "behind the end" ? RRD_HEADER_BYTES : size;
    if (this.#left < enough && !this.#final) return new Needs(enough);
    if (!this.#recover && (this.#state === "behind the end" || this.#left < size)) {
      // The Rerun server ignores it, too.
      this.#state = "over";
      return undefined;
    }
    if (this.#left < size) throw new TruncatedRrd(this.#left, size, "a message");
    if (this.#state === "behind the end") throw new RerelayError("Data behind the end marker");
    const message = readMessageHeader(header, this.#buffer, this.#at, this.#limit);
    if (!message.end) return this.#readMessage(header, size + message.length, items);
    const bytes = size + (message.length === 0 ? 0 : message.length + TRAILER_BYTES);
    const needs = this.#lacks(bytes, "a footer");
    if (needs !== undefined) return needs;
    items.push({ kind: "end", offset: this.#base + this.#at, bytes });
    this.#at += bytes;
    this.#state = "behind the end";
    return undefined;
  }

  #readMessage(header: RrdHeader, bytes: number, items: RrdPart[]): Needs | undefined {
    const needs = this.#lacks(bytes, "a message");
    if (needs !== undefined) return needs;
    const msg = this.#decode(header, this.#at);
    items.push({ kind: "message", offset: this.#base + this.#at, bytes, header, msg });
    this.#at += bytes;
    this.#state = "next";
    return undefined;
  }

  #readHeader(header: RrdHeader, items: RrdPart[]): void {
    this.#header = header;
    const offset = this.#base + this.#at;
    items.push({ kind: "header", offset, bytes: RRD_HEADER_BYTES, header, isGuessed: false });
    this.#at += RRD_HEADER_BYTES;
    this.#state = "next";
  }

  #lacks(bytes: number, what: string): Needs | undefined {
    if (this.#left >= bytes) return undefined;
    if (this.#final) throw new TruncatedRrd(this.#left, bytes, what);
    return new Needs(bytes);
  }

  #decode(header: RrdHeader, at: number): LogMsg {
    const message = readMessageHeader(header, this.#buffer, at, this.#limit);
    const msg = decodeMessage(header, message, this.#buffer, at, this.#limits);
    if (!this.#recover) return msg;
    checkWhole(msg);
    const isPlain = header.serializer === "msgpack" && header.compression === "off";
    // A flipped length would draw the next messages in: no SDK writes lengths that differ.
    if (isPlain && !looksLikeMessage(header, this.#buffer, at)) {
      throw new RerelayError("The two lengths of a message differ, or it has no known name");
    }
    return msg;
  }

  /** Looks for the next header or whole message. */
  #resync(items: RrdPart[]): Needs | undefined {
    const headers = guessedHeaders(this.#header);
    for (; this.#left > 0; this.#at++) {
      if (this.#left < SIGNATURE_BYTES && !this.#final) return new Needs(SIGNATURE_BYTES);
      const header = this.#headerHere();
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
          const offset = this.#base + this.#at;
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

  #headerHere(): RrdHeader | undefined {
    if (this.#left < RRD_HEADER_BYTES || !isRrdMagic(this.#buffer, this.#at)) return undefined;
    try {
      return decodeRrdHeader(this.#buffer.subarray(this.#at));
    } catch {
      return undefined; // only looks like one
    }
  }

  /** The length of the whole message that begins here. */
  #messageHere(header: RrdHeader): number | Needs | undefined {
    if (!looksLikeMessage(header, this.#buffer, this.#at)) return undefined;
    try {
      const { end, length } = readMessageHeader(header, this.#buffer, this.#at, this.#limit);
      if (end) return undefined;
      const bytes = MESSAGE_HEADER_BYTES[header.serializer] + length;
      if (this.#left < bytes) return this.#final ? undefined : new Needs(bytes);
      this.#decode(header, this.#at);
      return bytes;
    } catch {
      return undefined; // only looks like one
    }
  }

  #endDamage(items: RrdPart[]): void {
    const { offset, error } = this.#damage!;
    const bytes = this.#base + this.#at - offset;
    // A header that is gone leaves no byte behind.
    if (bytes > 0) items.push({ kind: "damage", offset, bytes, error });
    this.#damage = undefined;
  }
}
