/**
 * Cuts recorded connections and files into messages: on purpose without the code under test, and
 * only what SDKs of 0.9 to 0.22 send: msgpack, not compressed.
 */

/** Bytes of an RRD header. */
const HEADER_BYTES = 12;

/** A message with its two lengths in front, and the RRD header it came under. */
export interface CutMessage {
  readonly header: Uint8Array;
  readonly bytes: Uint8Array;
}

/** What one connection sent. */
export interface CutConnection {
  readonly packets: number;
  readonly messages: readonly CutMessage[];
  /** Bytes of a packet that did not come whole. */
  readonly rest: number;
}

/**
 * Cuts what an SDK sent.
 *
 * @throws if it is not what SDKs send
 */
export function cutConnection(bytes: Uint8Array): CutConnection {
  const view = viewOf(bytes);
  const messages: CutMessage[] = [];
  let packets = 0;
  let at = bytes.length < 2 || view.getUint16(0, true) === 0 ? 2 : 7;
  while (at + 4 <= bytes.length) {
    const end = at + 4 + view.getUint32(at, true);
    if (end > bytes.length) break;
    messages.push(...cutStream(bytes.subarray(at + 4, end)).messages);
    packets++;
    at = end;
  }
  return { packets, messages, rest: bytes.length - at };
}

/** An RRD stream or file. */
export interface CutStream {
  readonly messages: readonly CutMessage[];
  readonly endMarker: boolean;
}

/**
 * Cuts an RRD stream with one header.
 *
 * @throws if it is not one, or not cut exactly at a message's end
 */
export function cutStream(bytes: Uint8Array): CutStream {
  const header = bytes.subarray(0, HEADER_BYTES);
  const [, , , , , , , , compression, serializer] = header;
  if (new TextDecoder().decode(header.subarray(0, 4)) !== "RRF2" || header.length < HEADER_BYTES) {
    throw new Error(`no RRD header: ${header.toHex()}`);
  }
  if (compression !== 0 || serializer !== 1) {
    throw new Error(`neither uncompressed nor msgpack: ${header.toHex()}`);
  }
  const view = viewOf(bytes);
  const messages: CutMessage[] = [];
  let at = HEADER_BYTES;
  while (at < bytes.length) {
    if (at + 8 > bytes.length) throw new Error(`${bytes.length - at} bytes too many at the end`);
    const length = view.getUint32(at, true);
    if (length !== view.getUint32(at + 4, true)) throw new Error(`two lengths differ at ${at}`);
    const end = at + 8 + length;
    if (length === 0) {
      if (end < bytes.length) throw new Error(`${bytes.length - end} bytes behind the end marker`);
      return { messages, endMarker: true };
    }
    if (end > bytes.length) {
      throw new Error(`the message at ${at} ends ${end - bytes.length} short`);
    }
    messages.push({ header, bytes: bytes.subarray(at, end) });
    at = end;
  }
  return { messages, endMarker: false };
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
