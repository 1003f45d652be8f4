/**
 * Messages of any encodings → the bytes of one `.rrd` file.
 *
 * @module
 */
import { recompress } from "./recompress.ts";
import { endMarker, endsWithMarker } from "./rrd_encode.ts";
import type { RrdHeader } from "../rrd_header.ts";
import { isSameEncoding } from "./same_encoding.ts";
import type { Encoded } from "../message_parts.ts";

/**
 * Puts messages into one file: adds headers, and an end marker.
 *
 * Msgpack messages get the compression of the first one, all else stays as it is. A header is
 * written where the encoding changes; Rerun's CLI reads such data from standard input, but a file
 * only up to the second header.
 *
 * @example
 * ```ts
 * import { decodeRrdHeader } from "@rerelay/server/encoding";
 * import { readRrd, RrdConcat } from "@rerelay/server/rrd";
 * import { assertEquals } from "@std/assert";
 *
 * // Each message that was read has this as `encoded`; here it is of a kind that nobody knows.
 * const head = Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 22, 1, 0, 0, 2, 0, 0);
 * const bytes = new Uint8Array(new BigUint64Array([9n, 0n]).buffer); // kind 9, of no bytes
 * const encoded = { header: decodeRrdHeader(head), bytes };
 *
 * const concat = new RrdConcat();
 * const file = [...concat.message(encoded), ...concat.message(encoded), ...concat.end()];
 * const { messages, report } = readRrd(new Blob(file as BlobPart[]).stream());
 * await Array.fromAsync(messages);
 * assertEquals([concat.headers, report.messages, report.endMarkers], [1, 2, 1]);
 * ```
 */
export class RrdConcat {
  #header: RrdHeader | undefined;
  #headers = 0;

  /** How many headers were written. */
  get headers(): number {
    return this.#headers;
  }

  /** The bytes to write for a message. */
  message({ header, bytes }: Encoded): Uint8Array[] {
    const current = this.#header;
    const isMsgpack = current?.serializer === "msgpack" && header.serializer === "msgpack";
    if (isMsgpack && current.compression !== header.compression) {
      return [recompress(bytes, current.compression)];
    }
    return [...this.#change(header), bytes];
  }

  /** The bytes to write at the end; of an empty recording its header, too. */
  end(empty?: RrdHeader): Uint8Array[] {
    const parts = this.#header === undefined && empty !== undefined ? this.#change(empty) : [];
    return this.#header === undefined ? parts : [...parts, ...marker(this.#header)];
  }

  #change(header: RrdHeader): Uint8Array[] {
    if (this.#header !== undefined && isSameEncoding(this.#header, header)) return [];
    const before = this.#header === undefined ? [] : marker(this.#header);
    this.#header = header;
    this.#headers++;
    return [...before, header.bytes];
  }
}

function marker(header: RrdHeader): Uint8Array[] {
  return endsWithMarker(header) ? [endMarker(header)] : [];
}
