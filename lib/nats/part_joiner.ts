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
  readonly parts: Uint8Array[];
  bytes: number;
}

/** A message that is whole, or the reason why a part was dropped. */
export type Joined =
  | { readonly is: "whole"; readonly payload: Uint8Array<ArrayBuffer> }
  | { readonly is: "unfinished" }
  | {
    readonly is: "refused";
    /** The reason, for a log line. */
    readonly why: string;
  };

/** Holds one unfinished message for each subject, and bounds the memory of all of them. */
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

  /** Bytes of all unfinished messages. */
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
      const { maxMessageBytes, maxUnfinishedBytes } = this.limits;
      if (place.bytes > maxMessageBytes) {
        const why = `${
          plural(place.bytes, "byte")
        } are more than a message may have (--max-message)`;
        return { is: "refused", why };
      }
      while (this.#bytes + data.length > maxUnfinishedBytes && this.#unfinished.size > 0) {
        this.drop(this.#unfinished.keys().next().value!);
      }
      this.#unfinished.set(subject, { key, place, parts: [], bytes: 0 });
    }
    const unfinished = this.#unfinished.get(subject);
    if (unfinished?.key !== key || unfinished.parts.length !== place.index) {
      return { is: "refused", why: "the parts before it are missing" };
    }
    // It would keep the buffer alive that it was read into.
    unfinished.parts.push(data.slice());
    unfinished.bytes += data.length;
    this.#hold(data.length);
    if (unfinished.bytes > place.bytes) {
      this.drop(subject);
      return {
        is: "refused",
        why: `its parts have more than the ${plural(place.bytes, "byte")} they said`,
      };
    }
    if (unfinished.parts.length < place.count) return { is: "unfinished" };
    if (unfinished.bytes < place.bytes) {
      this.drop(subject);
      return {
        is: "refused",
        why: `its parts have less than the ${plural(place.bytes, "byte")} they said`,
      };
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

  /** Drops the unfinished message of a subject. */
  drop(subject: string): void {
    if (this.#remove(subject)) this.onDropped(subject);
  }

  #remove(subject: string): boolean {
    const unfinished = this.#unfinished.get(subject);
    if (unfinished === undefined) return false;
    this.#unfinished.delete(subject);
    this.#hold(-unfinished.bytes);
    return true;
  }

  #hold(more: number): void {
    this.#bytes += more;
    this.onHeld(more);
  }
}
