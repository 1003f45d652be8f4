/**
 * Finds the envelope that a message is like, where a stream has many recordings.
 *
 * @module
 */
import type { EnvelopeTemplate } from "./_envelope_sketch.ts";

/**
 * How many templates are kept, and how long their envelopes may be together, in bytes. With what stands
 * around them they take up to 2 MiB.
 */
const MAX_TEMPLATES = 1024;
const MAX_BYTES = 256 * 1024;
/** How many templates may begin alike: a recording has a few kinds of chunks. */
const MAX_ALIKE = 4;
/** Ids of recordings have one length, or few. */
const MAX_LENGTHS = 8;

/**
 * Templates of streams with many recordings whose messages alternate. They are found by what stands
 * before the first integer of an envelope, which says whose message it is.
 *
 * All streams of a server share them, since thousands of peers may send what fills them. Whoever does
 * takes from the others no more than the time that a template saves them.
 */
export class KnownEnvelopes {
  /** By a hash of what they begin with, the oldest first. */
  readonly #templates = new Map<number, EnvelopeTemplate[]>();
  /** How long the beginnings are. */
  readonly #lengths: number[] = [];
  #nextLength = 0;
  #count = 0;
  #bytes = 0;

  /**
   * Gives the template that an envelope fits.
   *
   * @param view where the envelope is
   * @param at where it begins
   * @param end where the message ends
   */
  find(view: DataView, at: number, end: number): EnvelopeTemplate | undefined {
    for (const length of this.#lengths) {
      if (at + length > end) continue;
      const alike = this.#templates.get(hashOf(view, at, length));
      if (alike === undefined) continue;
      for (const template of alike) {
        const { pattern } = template;
        if (at + pattern.span <= end && pattern.matches(view, at)) return template;
      }
    }
    return undefined;
  }

  /** Adds the template of an envelope, and forgets the oldest where there are too many. */
  add(template: EnvelopeTemplate, view: DataView, at: number): void {
    const { timeNsAt } = template;
    if (!this.#lengths.includes(timeNsAt)) {
      this.#lengths[this.#nextLength++ % MAX_LENGTHS] = timeNsAt;
    }
    const hash = hashOf(view, at, timeNsAt);
    const alike = this.#templates.get(hash) ?? [];
    this.#templates.set(hash, alike);
    if (alike.length === MAX_ALIKE) this.#gone(alike.shift()!);
    alike.push(template);
    this.#count++;
    this.#bytes += template.length;
    for (const [oldest, templates] of this.#templates) {
      if (this.#count <= MAX_TEMPLATES && this.#bytes <= MAX_BYTES) break;
      this.#templates.delete(oldest);
      for (const each of templates) this.#gone(each);
    }
  }

  #gone({ length }: EnvelopeTemplate): void {
    this.#count--;
    this.#bytes -= length;
  }
}

/** A number that is the same for equal bytes. */
function hashOf(view: DataView, at: number, length: number): number {
  let hash = length;
  let i = at;
  for (const end = at + length - 3; i < end; i += 4) {
    hash = Math.imul(hash ^ view.getInt32(i, true), 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  for (; i < at + length; i++) hash = Math.imul(hash ^ view.getUint8(i), 0x9e3779b1);
  return hash;
}
