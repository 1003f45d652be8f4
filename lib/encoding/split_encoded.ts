/**
 * A message whose bytes are in two places, so that large data need not be copied to stand behind
 * another front.
 *
 * @module
 */
import { concat } from "@std/bytes";
import type { ArrowData } from "./arrow_msg.ts";
import type { Encoded } from "./message_parts.ts";
import type { RrdHeader } from "./rrd_header.ts";

/** The bytes of a message in two parts, joined when somebody asks for them as one. */
export class SplitEncoded implements Encoded {
  readonly #front: Uint8Array;
  readonly #rest: Uint8Array;
  #joined: Uint8Array | undefined;
  /** Of its own, so that a copy by `{ ...encoded }` has it. */
  declare readonly bytes: Uint8Array;

  /**
   * @param header that the message stands under
   * @param front of the message, with its own header
   * @param rest of the message, in memory that is not its own
   */
  constructor(readonly header: RrdHeader, front: Uint8Array, rest: Uint8Array) {
    this.#front = front;
    this.#rest = rest;
    const get = () => this.#joined ??= concat([front, rest]);
    Object.defineProperty(this, "bytes", { enumerable: true, get });
  }

  /** Both parts. */
  get parts(): readonly [Uint8Array, Uint8Array] {
    return [this.#front, this.#rest];
  }

  /** Length of both. */
  get length(): number {
    return this.#front.length + this.#rest.length;
  }
}

/** Arrow data at the end of a message in two parts. */
export class SplitArrow implements ArrowData {
  readonly compression = "off";
  readonly uncompressedSize: number;
  /** Of its own, so that a copy by `{ ...arrow }` has it. */
  declare readonly bytes: Uint8Array;

  /**
   * @param encoded the message
   * @param start where in it the data begins
   */
  constructor(encoded: SplitEncoded, start: number) {
    this.uncompressedSize = encoded.length - start;
    const get = () => encoded.bytes.subarray(start);
    Object.defineProperty(this, "bytes", { enumerable: true, get });
  }
}

/** The bytes of a message, in one or two parts, without joining them. */
export function partsOf(encoded: Encoded): readonly Uint8Array[] {
  return encoded instanceof SplitEncoded ? encoded.parts : [encoded.bytes];
}

/** Length of a message in bytes. */
export function lengthOf(encoded: Encoded): number {
  return encoded instanceof SplitEncoded ? encoded.length : encoded.bytes.length;
}
