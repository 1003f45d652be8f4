import type { LogMsg } from "../log_msg.ts";
import { StepStream } from "../../base/step_stream.ts";
import { RrdDecoder, type RrdDecoderOptions } from "./rrd_decoder.ts";

/**
 * The bytes of `.rrd` files or of an HTTP stream, concatenated ones too → log messages, in one array
 * for each chunk read.
 *
 * Errors as {@linkcode RrdDecoder} does, once the messages before have been read.
 *
 * @example
 * ```ts
 * import { RrdDecodeStream } from "@rerelay/server";
 * import { assertEquals } from "@std/assert";
 *
 * const file = Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 22, 1, 0, 0, 1, 0, 0);
 * const messages = new Blob([file]).stream().pipeThrough(new RrdDecodeStream());
 * assertEquals(await Array.fromAsync(messages), []);
 * ```
 */
export class RrdDecodeStream extends StepStream<Uint8Array, LogMsg> {
  /**
   * Expects the first byte of an RRD stream.
   *
   * @param options limit of a message in bytes, and whom to tell of headers
   */
  constructor(options: RrdDecoderOptions = {}) {
    super(new RrdDecoder(options));
  }
}
