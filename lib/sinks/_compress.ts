/**
 * Stores messages as Rerun's own `--save` does.
 *
 * @module
 */
import { compressLz4 } from "../encoding/lz4.ts";
import { decodeRrdHeader, type RrdHeader } from "../encoding/rrd_header.ts";
import type { Encoded } from "../log_msg.ts";

type RrdEncoded = Extract<Encoded, { form: "rrd" }>;

const compressed = new WeakMap<RrdHeader, RrdHeader>();

/**
 * Compresses a msgpack message; all others stay as they are.
 *
 * @param encoded a message with its own header
 */
export function compressEncoded(encoded: RrdEncoded): RrdEncoded {
  const { header, bytes } = encoded;
  if (header.serializer !== "msgpack" || header.compression !== "off") return encoded;
  const payload = bytes.subarray(8);
  const block = compressLz4(payload);
  const out = new Uint8Array(8 + block.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, block.length, true);
  view.setUint32(4, payload.length, true);
  out.set(block, 8);
  return { form: "rrd", header: compressedHeader(header), bytes: out };
}

function compressedHeader(header: RrdHeader): RrdHeader {
  let lz4 = compressed.get(header);
  if (lz4 === undefined) {
    const bytes = header.bytes.slice();
    bytes[8] = 1;
    lz4 = decodeRrdHeader(bytes);
    compressed.set(header, lz4);
  }
  return lz4;
}
