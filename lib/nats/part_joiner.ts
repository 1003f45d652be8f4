/**
 * Puts large messages together again, of which each part came as a message of its own.
 *
 * @module
 */
import type { BatchHeaders, PartPlace } from "./headers.ts";

/** What came of a large message. */
interface Unfinished {
  /** Which it is: all its parts say the same. */
  readonly key: string;
  readonly place: PartPlace;
  readonly parts: Uint8Array[];
  bytes: number;
}

/** A message that is whole, or why nothing came of a part. */
export type Joined =
  | { readonly is: "whole"; readonly payload: Uint8Array<ArrayBuffer> }
  | { readonly is: "unfinished" }
  | {
    readonly is: "refused";
    /** In the words of a log line. */
    readonly why: string;
  };

/** One unfinished message for each subject, all of them within a limit. */
export class PartJoiner {
  readonly #unfinished = new Map<string, Unfinished>();
  #bytes = 0;

  /**
   * @param limits in bytes: of one message, and of all that is unfinished
   * @param onHeld called when more is held, or less, by so many bytes
   * @param onDropped called with the subject of what is given up before it is whole
   */
  constructor(
    readonly limits: { readonly maxMessageBytes: number; readonly maxUnfinishedBytes: number },
    readonly onHeld: (more: number) => void = () => {},
    readonly onDropped: (subject: string) => void = () => {},
  ) {}

  /** Bytes of what is unfinished. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Takes a part; a first one replaces what was unfinished under its subject.
   *
   * @param subject where it stands
   * @param headers with the place of the part
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
        const why = `${place.bytes} bytes are more than a message may have (--max-message)`;
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
      return { is: "refused", why: `its parts have more than the ${place.bytes} bytes they said` };
    }
    if (unfinished.parts.length < place.count) return { is: "unfinished" };
    if (unfinished.bytes < place.bytes) {
      this.drop(subject);
      return { is: "refused", why: `its parts have less than the ${place.bytes} bytes they said` };
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

  /** Gives up what is unfinished under a subject. */
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
