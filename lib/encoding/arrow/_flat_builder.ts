/**
 * Writes FlatBuffers from back to front, as the FlatBuffers libraries of all languages do: what is
 * written in the same order has the same bytes as Rerun's.
 *
 * @module
 */

/** A field of a table: its slot, and a number of so many bytes or what was written before. */
export type BuiltSlot = readonly [slot: number, bytes: 1 | 2 | 4 | 8 | "ref", value: number];

const utf8 = new TextEncoder();

/** A buffer that grows at its front. Places are counted in bytes from its end. */
export class FlatBuilder {
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);
  #used = 0;
  #minAlign = 1;
  /** Vtables that were written, by their contents. */
  readonly #vtables = new Map<string, number>();

  /** Writes a text; returns its place. */
  text(text: string): number {
    const bytes = utf8.encode(text);
    this.#align(bytes.length + 1, 4);
    const at = this.#reserve(bytes.length + 1);
    this.#bytes.set(bytes, at);
    return this.#number(4, bytes.length);
  }

  /** Writes a vector of places; returns its own place. */
  vector(places: readonly number[]): number {
    this.#align(4 * places.length, 4);
    for (const place of places.toReversed()) this.#reference(place);
    return this.#number(4, places.length);
  }

  /** Writes a vector of 32-bit numbers; returns its place. */
  numbers(numbers: readonly number[]): number {
    this.#align(4 * numbers.length, 4);
    for (const number of numbers.toReversed()) this.#number(4, number);
    return this.#number(4, numbers.length);
  }

  /** Writes a vector of structs of two 64-bit numbers each; returns its place. */
  pairs(pairs: readonly (readonly [number, number])[]): number {
    this.#align(16 * pairs.length, 8);
    for (const [first, second] of pairs.toReversed()) {
      this.#number(8, second);
      this.#number(8, first);
    }
    return this.#number(4, pairs.length);
  }

  /** Writes a table, its fields in the given order; returns its place. */
  table(slots: readonly BuiltSlot[]): number {
    const start = this.#used;
    const places: number[] = [];
    for (const [slot, bytes, value] of slots) {
      places[slot] = bytes === "ref" ? this.#reference(value) : this.#number(bytes, value);
    }
    const table = this.#number(4, 0);
    const entries = [4 + 2 * places.length, table - start];
    for (let slot = 0; slot < places.length; slot++) {
      const place = places[slot];
      entries.push(place === undefined ? 0 : table - place);
    }
    const key = entries.join();
    let vtable = this.#vtables.get(key);
    if (vtable === undefined) {
      const at = this.#reserve(2 * entries.length);
      entries.forEach((entry, i) => this.#view.setUint16(at + 2 * i, entry, true));
      vtable = this.#used;
      this.#vtables.set(key, vtable);
    }
    this.#view.setInt32(this.#bytes.length - table, vtable - table, true);
    return table;
  }

  /** Finishes the buffer, whose root is a table. */
  finish(root: number): Uint8Array {
    this.#align(4, this.#minAlign);
    this.#reference(root);
    return this.#bytes.slice(this.#bytes.length - this.#used);
  }

  #reference(place: number): number {
    this.#align(4, 4);
    return this.#number(4, this.#used + 4 - place);
  }

  #number(bytes: 1 | 2 | 4 | 8, value: number): number {
    this.#align(bytes, bytes);
    const at = this.#reserve(bytes);
    if (bytes === 1) this.#view.setUint8(at, value);
    else if (bytes === 2) this.#view.setInt16(at, value, true);
    else if (bytes === 4) this.#view.setInt32(at, value, true);
    else this.#view.setBigInt64(at, BigInt(value), true);
    return this.#used;
  }

  /** Writes zeros, so that what is written next is aligned. */
  #align(size: number, alignment: number): void {
    this.#minAlign = Math.max(this.#minAlign, alignment);
    const rest = (this.#used + size) % alignment;
    if (rest > 0) this.#reserve(alignment - rest);
  }

  /** Makes room for so many bytes, which are zeros. */
  #reserve(bytes: number): number {
    if (this.#used + bytes > this.#bytes.length) {
      const more = new Uint8Array(2 * (this.#used + bytes));
      more.set(this.#bytes.subarray(this.#bytes.length - this.#used), more.length - this.#used);
      this.#bytes = more;
      this.#view = new DataView(more.buffer);
    }
    this.#used += bytes;
    return this.#bytes.length - this.#used;
  }
}
