/**
 * An RRD stream for one viewer: a header, then messages, in today's form or as they came.
 *
 * @module
 */
import { BRIDGED_HEADER, isBridgeable } from "../../bridge/mod.ts";
import { RecordingStarts } from "../../bridge/recording_start.ts";
import { endMarker, endsWithMarker } from "../../encoding/rrd/rrd_encode.ts";
import {
  compareVersions,
  RRD_HEADER_BYTES,
  type RrdHeader,
  type RrdVersion,
} from "../../encoding/rrd_header.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import { lengthOf, partsOf } from "../../encoding/split_encoded.ts";
import { gathered } from "./gathered.ts";
import type { StallWatch } from "./stall_watch.ts";
import type { JoinOptions, Viewer, ViewerHub } from "../types.ts";

/** How much is taken from the hub at once, in bytes. */
const SLICE_BYTES = 256 * 1024;

/** Small messages go together, and large ones in pieces, so that progress shows. */
const PIECE_BYTES = 64 * 1024;

/** How a stream gives what SDK 0.17 to 0.22 logged. */
export type StreamForm = "current" | "as-sent";

/** What a stream is to contain. */
export interface StreamWish {
  readonly form: StreamForm;
  /** Only messages of this SDK version are wanted. */
  readonly version?: RrdVersion;
  /**
   * The version of the newest SDK: messages that can stand in one stream with its own are wanted.
   */
  readonly newest?: RrdVersion | undefined;
}

/**
 * Chooses messages that can stand under one RRD header: the first message that is wanted decides.
 */
export class OneEncoding {
  /** The header of the first message. */
  header: RrdHeader | undefined;
  /** The version of the stream, if it is known before the first message. */
  readonly #newest: RrdVersion | undefined;

  /** @param wish what the stream is to contain */
  constructor(readonly wish: StreamWish) {
    const { newest } = wish;
    const isBridged = newest !== undefined && this.#isBridged({ version: newest });
    this.#newest = isBridged ? BRIDGED_HEADER.version : newest;
  }

  /** For {@linkcode JoinOptions.accepts}. */
  readonly accepts: NonNullable<JoinOptions["accepts"]> = (msg: LogMsg): boolean => {
    const { header: came } = msg.encoded;
    const header = this.#isBridged(came) ? BRIDGED_HEADER : came;
    const fits = this.#isWanted(came, header) && this.#fits(header);
    if (fits) this.header ??= header;
    return fits;
  };

  #isBridged(header: Pick<RrdHeader, "version">): boolean {
    return this.wish.form === "current" && isBridgeable(header);
  }

  #isWanted(came: RrdHeader, header: RrdHeader): boolean {
    const { version } = this.wish;
    if (version !== undefined) return compareVersions(came.version, version) === 0;
    return this.#newest === undefined || compareVersions(header.version, this.#newest) === 0;
  }

  #fits(header: RrdHeader): boolean {
    return this.header === undefined || header === this.header ||
      header.bytes.every((byte, i) => i >= RRD_HEADER_BYTES || byte === this.header!.bytes[i]);
  }
}

/** Options of a stream. */
export interface RrdStreamOptions {
  readonly hub: ViewerHub;
  readonly viewer: Viewer;
  readonly encoding: OneEncoding;
  readonly stalls: StallWatch;
  /** How many times the usual time the viewer has to take something; default 1. */
  readonly patience?: number;
}

/**
 * Streams the messages for a viewer, as fast as it reads them.
 *
 * @param options whose stream it is, and where it ends
 */
export function rrdStream(options: RrdStreamOptions): ReadableStream<Uint8Array> {
  const { viewer, stalls, patience = 1 } = options;
  const pieces = piecesOf(options);
  const { addr } = viewer.options;
  const transfer = { patience, addr, waits: false, taken: 0, cut: () => viewer.close("stalled") };
  let unwatch = () => {};
  return new ReadableStream<Uint8Array>({
    start(controller) {
      unwatch = stalls.add(transfer);
      viewer.left.then((gone) => {
        // The client must not take a stream that was cut off for a whole one.
        if (gone !== "closed" && gone !== "left") controller.error(new Error(gone));
        if (gone !== "closed") unwatch();
      });
    },
    async pull(controller) {
      transfer.waits = false;
      const { done, value } = await pieces.next().catch((error) => {
        // Nobody asks for more of a stream that has failed, or cancels it.
        controller.error(error);
        unwatch();
        viewer.close("failed");
        throw error;
      });
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
  const { hub, viewer, encoding } = options;
  const isCurrent = encoding.wish.form === "current";
  const starts = new RecordingStarts();
  let begun = false;
  for (;;) {
    const msgs = await viewer.next(SLICE_BYTES);
    if (msgs === undefined) break;
    if (!begun) yield encoding.header!.bytes;
    begun = true;
    const bytesOf = function* (messages: readonly LogMsg[]) {
      for (const msg of messages) {
        const given = isCurrent ? starts.withStart(msg, hub.current(msg)) : [msg];
        viewer.sent(1, given.reduce((sum, { encoded }) => sum + lengthOf(encoded), 0));
        for (const { encoded } of given) yield* partsOf(encoded);
      }
    };
    yield* gathered(bytesOf(msgs), PIECE_BYTES);
  }
  const { header } = encoding;
  if (viewer.options.until === undefined || header === undefined) return;
  if (!begun) yield header.bytes;
  if (endsWithMarker(header)) yield endMarker(header);
}
