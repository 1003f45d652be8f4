import { InvalidMessage } from "../base/errors.ts";

/**
 * A time-based unique id, as Rerun gives to rows, chunks and tables.
 *
 * @example
 * ```ts
 * import { Tuid } from "@rerelay/server/encoding";
 * import { assertEquals } from "@std/assert";
 *
 * const id = new Tuid(0x18EA51C111D17D73n, 0x2C716CE0617F818Bn);
 * assertEquals(id.toString(), "18EA51C111D17D732C716CE0617F818B");
 * ```
 */
export class Tuid {
  /**
   * Puts the two halves together.
   *
   * @param timeNs unsigned 64 bits: nanoseconds since the Unix epoch when the id was made
   * @param inc unsigned 64 bits: random at first, then counted up
   */
  constructor(readonly timeNs: bigint, readonly inc: bigint) {}

  /** 32 upper-case hex digits, time first, as Rerun prints it. */
  toString(): string {
    return (hex16(this.timeNs) + hex16(this.inc)).toUpperCase();
  }

  /** Gives JSON the text of `toString`. */
  toJSON(): string {
    return this.toString();
  }
}

function hex16(value: bigint): string {
  return value.toString(16).padStart(16, "0");
}

/**
 * Makes a `Tuid` of two fields, which must be there and unsigned.
 *
 * @throws {InvalidMessage} otherwise
 */
export function makeTuid(timeNs: unknown, inc: unknown): Tuid {
  if (typeof timeNs !== "bigint" || typeof inc !== "bigint" || timeNs < 0n || inc < 0n) {
    throw new InvalidMessage(`Invalid Tuid: time_ns ${timeNs}, inc ${inc}`);
  }
  return new Tuid(timeNs, inc);
}
