import { checkCallable, checkOptions } from "../../base/check_arguments.ts";
import { StepStream } from "../../base/step_stream.ts";
import type { LogMsg } from "../log_msg.ts";
import {
  PACKET_DECODER_NAMES,
  PacketDecoder,
  type PacketDecoderOptions,
} from "./packet_decoder.ts";

/**
 * Packets → log messages, in one array for each array of packets; behind a `PacketStream`.
 *
 * Errors with `InvalidMessage`, `MessageTooLarge`, `MessageLimit` or `CorruptArrow`, once the messages
 * of all packets before have been read.
 *
 * @example
 * ```ts
 * import { PacketDecodeStream, PacketStream } from "@rerelay/server";
 * import { assertEquals } from "@std/assert";
 *
 * // What an SDK says first, and a packet that holds an RRD stream without a message.
 * const hello = [1, 0, ...new TextEncoder().encode("rerun")];
 * const rrd = [...new TextEncoder().encode("RRF2"), 0, 22, 1, 0, 0, 1, 0, 0];
 * const bytes = Uint8Array.of(...hello, rrd.length, 0, 0, 0, ...rrd);
 *
 * const messages = new Blob([bytes]).stream()
 *   .pipeThrough(new PacketStream()) // bytes → packets
 *   .pipeThrough(new PacketDecodeStream()); // packets → log messages
 * assertEquals((await Array.fromAsync(messages)).flat(), []);
 * ```
 */
export class PacketDecodeStream extends StepStream<readonly Uint8Array[], LogMsg> {
  /**
   * Expects the first packet of a connection.
   *
   * @param options limits of what a packet may hold, and what is done with corrupt Arrow data
   */
  constructor(options: PacketDecoderOptions = {}) {
    checkOptions("PacketDecodeStream", options, PACKET_DECODER_NAMES);
    checkCallable(options, ["onHeader", "onCorrupt", "onPacket"]);
    super(new PacketDecoder(options));
  }
}
