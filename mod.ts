/**
 * A headless server for Rerun logging SDKs.
 *
 * @module
 */
export * from "./lib/errors.ts";
export * from "./lib/log_msg.ts";
export { type ArrowData, ArrowMsg } from "./lib/encoding/arrow_msg.ts";
export { Tuid } from "./lib/encoding/tuid.ts";
export { RrdDecoder, type RrdDecoderOptions } from "./lib/encoding/rrd_decoder.ts";
export { type RrdHeader, type RrdVersion, rrdVersionText } from "./lib/encoding/rrd_header.ts";
