/**
 * Arrays of numbers that grow.
 *
 * @module
 */

/** A growing array of floating-point numbers. */
export class GrowingNumbers {
  #values = new Float64Array(64);
  length = 0;

  push(value: number): void {
    if (this.length === this.#values.length) {
      const more = new Float64Array(2 * this.length);
      more.set(this.#values);
      this.#values = more;
    }
    this.#values[this.length++] = value;
  }

  at(index: number): number {
    return this.#values[index]!;
  }
}

/** A growing array of signed 64-bit integers. */
export class GrowingBigInts {
  #values = new BigInt64Array(64);
  length = 0;

  push(values: readonly bigint[]): void {
    if (this.length + values.length > this.#values.length) {
      const more = new BigInt64Array(2 * (this.length + values.length));
      more.set(this.#values);
      this.#values = more;
    }
    this.#values.set(values, this.length);
    this.length += values.length;
  }

  at(index: number): bigint {
    return this.#values[index]!;
  }
}

/** A growing array of bytes. */
export class GrowingBytes {
  #values = new Uint8Array(1024);
  length = 0;

  push(bytes: Uint8Array): void {
    if (this.length + bytes.length > this.#values.length) {
      const more = new Uint8Array(2 * (this.length + bytes.length));
      more.set(this.#values);
      this.#values = more;
    }
    this.#values.set(bytes, this.length);
    this.length += bytes.length;
  }

  subarray(from: number, to: number): Uint8Array {
    return this.#values.subarray(from, to);
  }
}
