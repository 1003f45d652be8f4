/**
 * An RRD stream for one viewer: a header, then messages as they came.
 *
 * @module
 */
import { endMarker, endsWithMarker } from "../../encoding/rrd/rrd_encode.ts";
import {
  compareVersions,
  RRD_HEADER_BYTES,
  type RrdHeader,
  type RrdVersion,
} from "../../encoding/rrd_header.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import type { StallWatch } from "./stall_watch.ts";
import type { JoinOptions, Viewer } from "../types.ts";

/** What is taken from the hub at once, in bytes. */
const SLICE_BYTES = 256 * 1024;

/** Small messages go together, and large ones in pieces, so that progress shows. */
const PIECE_BYTES = 64 * 1024;

/** Chooses what can stand under one header: the first message of the wanted version decides. */
export class OneEncoding {
  /** That of the first message. */
  header: RrdHeader | undefined;

  /**
   * Begins with a version.
   *
   * @param version `undefined`: that of the first message
   */
  constructor(readonly version: RrdVersion | undefined) {}

  /** For {@linkcode JoinOptions.accepts}. */
  readonly accepts: NonNullable<JoinOptions["accepts"]> = (msg: LogMsg): boolean => {
    const { encoded } = msg;
    const fits = this.#fits(encoded.header);
    if (fits) this.header ??= encoded.header;
    return fits;
  };

  #fits(header: RrdHeader): boolean {
    if (this.header === undefined) {
      return this.version === undefined || compareVersions(header.version, this.version) === 0;
    }
    return header === this.header ||
      header.bytes.every((byte, i) => i >= RRD_HEADER_BYTES || byte === this.header!.bytes[i]);
  }
}

/** What a stream is made of. */
export interface RrdStreamOptions {
  readonly viewer: Viewer;
  readonly encoding: OneEncoding;
  readonly stalls: StallWatch;
}

/**
 * Streams what a viewer is given, as fast as it is taken.
 *
 * @param options whose stream it is, and where it ends
 */
export function rrdStream(options: RrdStreamOptions): ReadableStream<Uint8Array> {
  const { viewer, stalls } = options;
  const pieces = piecesOf(options);
  const transfer = { waits: false, taken: 0, cut: () => viewer.close("stalled") };
  let unwatch = () => {};
  return new ReadableStream<Uint8Array>({
    start(controller) {
      unwatch = stalls.add(transfer);
      viewer.left.then((gone) => {
        // Nobody may take for whole what was cut off.
        if (gone !== "closed" && gone !== "left") controller.error(new Error(gone));
        if (gone !== "closed") unwatch();
      });
    },
    async pull(controller) {
      transfer.waits = false;
      const { done, value } = await pieces.next();
      if (value !== undefined) {
        transfer.taken++;
        transfer.waits = true;
        controller.enqueue(value);
      }
      if (!done) return;
      unwatch();
      controller.close();
      viewer.close(viewer.options.until === undefined ? "closed" : "left");
    },
    cancel() {
      unwatch();
      viewer.close("left");
    },
  }, { highWaterMark: 0 });
}

async function* piecesOf(options: RrdStreamOptions): AsyncGenerator<Uint8Array, undefined> {
  const { viewer, encoding } = options;
  let begun = false;
  for (;;) {
    const msgs = await viewer.next(SLICE_BYTES);
    if (msgs === undefined) break;
    if (!begun) yield encoding.header!.bytes;
    begun = true;
    let gathered: Uint8Array[] = [];
    let size = 0;
    for (const { encoded: { bytes } } of msgs) {
      viewer.sent(1, bytes.length);
      if (size + bytes.length > PIECE_BYTES && size > 0) {
        yield joined(gathered, size);
        [gathered, size] = [[], 0];
      }
      if (bytes.length < PIECE_BYTES) {
        gathered.push(bytes);
        size += bytes.length;
        continue;
      }
      for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
        yield bytes.subarray(at, at + PIECE_BYTES);
      }
    }
    if (size > 0) yield joined(gathered, size);
  }
  const { header } = encoding;
  if (viewer.options.until === undefined || header === undefined) return;
  if (!begun) yield header.bytes;
  if (endsWithMarker(header)) yield endMarker(header);
}

function joined(parts: readonly Uint8Array[], size: number): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
