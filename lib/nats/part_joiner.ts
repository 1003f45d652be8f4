/**
 * Joins the parts of large messages, which come as messages of their own.
 *
 * @module
 */
import type { BatchHeaders, PartPlace } from "./headers.ts";
import { plural } from "../base/plural.ts";

/** The parts of a large message that have come so far. */
interface Unfinished {
  /** Identifies the large message: equal for all its parts. */
  readonly key: string;
  readonly place: PartPlace;
  /** How many came. */
  count: number;
  bytes: number;
  /** Those that came; `undefined` where memory did not suffice for them. */
  parts: Uint8Array[] | undefined;
  /** What is held of it, with what keeping parts costs. */
  held: number;
}

/** A message that is whole, or the reason why a part was dropped. */
export type Joined =
  | { readonly is: "whole"; readonly payload: Uint8Array<ArrayBuffer> }
  /** All parts came, but those before this one must be read again. */
  | { readonly is: "unheld" }
  | { readonly is: "unfinished" }
  | {
    readonly is: "refused";
    /** The reason, for a log line. */
    readonly why: string;
  };

/** What each part, and each message, takes besides its bytes. */
const OVERHEAD_BYTES = 256;

/** How many messages are known to be unfinished; the one begun longest ago is dropped first. */
const MAX_UNFINISHED = 10_000;

/**
 * Holds one unfinished message for each subject, and bounds the memory of all of them. Where it does not
 * suffice, only that parts came is remembered of those begun first, and they are read again at the end.
 */
export class PartJoiner {
  readonly #unfinished = new Map<string, Unfinished>();
  #bytes = 0;

  /**
   * @param limits the bytes of one message, and of all unfinished messages together
   * @param onHeld called with the number of bytes that are held in addition, or no longer
   * (negative)
   * @param onDropped called with the subject of a message that is dropped before it is whole
   */
  constructor(
    readonly limits: { readonly maxMessageBytes: number; readonly maxUnfinishedBytes: number },
    readonly onHeld: (more: number) => void = () => {},
    readonly onDropped: (subject: string) => void = () => {},
  ) {}

  /** Bytes that all unfinished messages take. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Adds a part. The first part of a message replaces an unfinished message of its subject.
   *
   * @param subject the subject of the part
   * @param headers its header, with the place of the part
   * @param data its bytes, which are copied
   */
  push(
    subject: string,
    { file, numbers, part: place }: BatchHeaders & { readonly part: PartPlace },
    data: Uint8Array,
  ): Joined {
    const key = `${file} ${numbers[0]} ${place.count} ${place.bytes}`;
    if (place.index === 0) {
      this.drop(subject);
      const { maxMessageBytes } = this.limits;
      if (place.bytes > maxMessageBytes) {
        const why = `${
          plural(place.bytes, "byte")
        } are more than a message may have (--max-message)`;
        return { is: "refused", why };
      }
      if (this.#unfinished.size >= MAX_UNFINISHED) this.drop(this.oldest!);
      this.#unfinished.set(subject, { key, place, count: 0, parts: [], bytes: 0, held: 0 });
    }
    const unfinished = this.#unfinished.get(subject);
    if (unfinished?.key !== key || unfinished.count !== place.index) {
      return { is: "refused", why: "the parts before it are missing" };
    }
    const bytes = unfinished.bytes + data.length;
    const isLast = place.index === place.count - 1;
    if (bytes > place.bytes || (isLast && bytes < place.bytes)) {
      this.drop(subject);
      const than = bytes > place.bytes ? "more" : "less";
      const why = `its parts have ${than} than the ${plural(place.bytes, "byte")} they said`;
      return { is: "refused", why };
    }
    // It stays as it is, so that it can be asked for again should reading fail.
    if (isLast && unfinished.parts === undefined) return { is: "unheld" };
    unfinished.count++;
    unfinished.bytes = bytes;
    if (unfinished.parts === undefined) return { is: "unfinished" };
    // It would keep the buffer alive that it was read into.
    unfinished.parts.push(data.slice());
    this.#hold(unfinished, data.length + OVERHEAD_BYTES);
    if (!isLast) {
      this.#makeRoom(unfinished);
      return { is: "unfinished" };
    }
    this.#remove(subject);
    const payload = new Uint8Array(place.bytes);
    let at = 0;
    for (const part of unfinished.parts) {
      payload.set(part, at);
      at += part.length;
    }
    return { is: "whole", payload };
  }

  /** The subject of the unfinished message that was begun longest ago. */
  get oldest(): string | undefined {
    return this.#unfinished.keys().next().value;
  }

  /** Drops the unfinished message of a subject. */
  drop(subject: string): void {
    if (this.#remove(subject)) this.onDropped(subject);
  }

  /** Lets go of the parts of others, first of those begun longest ago, while all are too much. */
  #makeRoom(kept: Unfinished): void {
    if (this.#bytes <= this.limits.maxUnfinishedBytes) return;
    for (const unfinished of this.#unfinished.values()) {
      if (unfinished === kept || unfinished.parts === undefined) continue;
      unfinished.parts = undefined;
      this.#hold(unfinished, -unfinished.held);
      if (this.#bytes <= this.limits.maxUnfinishedBytes) return;
    }
  }

  #remove(subject: string): boolean {
    const unfinished = this.#unfinished.get(subject);
    if (unfinished === undefined) return false;
    this.#unfinished.delete(subject);
    this.#hold(unfinished, -unfinished.held);
    return true;
  }

  #hold(unfinished: Unfinished, more: number): void {
    unfinished.held += more;
    this.#bytes += more;
    this.onHeld(more);
  }
}
