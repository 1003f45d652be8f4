/**
 * Writes FlatBuffers from front to back: https://flatbuffers.dev/internals/.
 *
 * What a table points to must be behind it. So pointing places are kept until their target is
 * written, and a target of several is written once, behind all of them.
 *
 * @module
 */

/** A field of a table: a number and its bytes, or a place that will point to something. */
export type FlatField =
  | { readonly bytes: 1 | 2 | 4 | 8; readonly value: number }
  | { readonly bytes: "ref"; readonly to: (at: number) => void }
  | undefined;

const utf8 = new TextEncoder();

/** A buffer that grows. */
export class FlatWriter {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  /** Vtables that were written, by their contents. */
  readonly #vtables = new Map<string, number>();
  /** How many bytes are written. */
  length = 0;

  /** What is written, with zeros behind it up to a multiple of 8. */
  finish(): Uint8Array {
    this.#take(0, 8);
    return this.#bytes.slice(0, this.length);
  }

  /** Writes a place that will point to something. */
  ref(): number {
    return this.#take(4, 4);
  }

  /** Lets a place point to a target behind it. */
  point(at: number, target: number): void {
    this.#view.setUint32(at, target - at, true);
  }

  /** Writes a table; returns where it is. */
  table(fields: readonly FlatField[]): number {
    let size = 4;
    let align = 4;
    const offsets = fields.map((field) => {
      if (field === undefined) return 0;
      const bytes = field.bytes === "ref" ? 4 : field.bytes;
      size = up(size, bytes);
      align = Math.max(align, bytes);
      const offset = size;
      size += bytes;
      return offset;
    });
    const vtable = this.#vtable(size, offsets);
    const at = this.#take(size, align);
    this.#view.setInt32(at, at - vtable, true);
    fields.forEach((field, i) => {
      const place = at + offsets[i]!;
      if (field === undefined) return;
      if (field.bytes === "ref") field.to(place);
      else this.#number(place, field.bytes, field.value);
    });
    return at;
  }

  /** Writes a vector of `length` places that will point to something; returns where it is. */
  vector(length: number): { readonly at: number; readonly refs: number[] } {
    const at = this.#take(4 + 4 * length, 4);
    this.#view.setUint32(at, length, true);
    return { at, refs: Array.from({ length }, (_, i) => at + 4 + 4 * i) };
  }

  /** Writes a vector of 32-bit numbers; returns where it is. */
  numbers(numbers: readonly number[]): number {
    const { at, refs } = this.vector(numbers.length);
    numbers.forEach((value, i) => this.#view.setInt32(refs[i]!, value, true));
    return at;
  }

  /** Writes a vector of structs of two 64-bit numbers each; returns where it is. */
  pairs(pairs: readonly (readonly [number, number])[]): number {
    // The first struct, behind the length, stands at a multiple of 8.
    this.#take(up(this.length + 4, 8) - 4 - this.length, 1);
    const at = this.#take(4 + 16 * pairs.length, 4);
    this.#view.setUint32(at, pairs.length, true);
    pairs.forEach(([a, b], i) => {
      this.#number(at + 4 + 16 * i, 8, a);
      this.#number(at + 12 + 16 * i, 8, b);
    });
    return at;
  }

  /** Writes a text; returns where it is. Its bytes begin 4 behind that. */
  text(text: string): number {
    const bytes = utf8.encode(text);
    const at = this.#take(4 + bytes.length + 1, 4);
    this.#view.setUint32(at, bytes.length, true);
    this.#bytes.set(bytes, at + 4);
    return at;
  }

  #vtable(size: number, offsets: readonly number[]): number {
    const entries = [4 + 2 * offsets.length, size, ...offsets];
    const key = entries.join();
    const known = this.#vtables.get(key);
    if (known !== undefined) return known;
    const at = this.#take(2 * entries.length, 2);
    entries.forEach((entry, i) => this.#view.setUint16(at + 2 * i, entry, true));
    this.#vtables.set(key, at);
    return at;
  }

  #number(at: number, bytes: 1 | 2 | 4 | 8, value: number): void {
    if (bytes === 1) this.#view.setUint8(at, value);
    else if (bytes === 2) this.#view.setInt16(at, value, true);
    else if (bytes === 4) this.#view.setInt32(at, value, true);
    else this.#view.setBigInt64(at, BigInt(value), true);
  }

  /** Makes room for so many bytes. */
  #take(bytes: number, align: number): number {
    const at = up(this.length, align);
    this.length = at + bytes;
    if (this.length > this.#bytes.length) {
      const more = new Uint8Array(up(2 * this.length, 8));
      more.set(this.#bytes);
      this.#bytes = more;
      this.#view = new DataView(more.buffer);
    }
    return at;
  }
}

function up(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}
