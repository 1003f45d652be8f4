import { checkCallable, checkOptions } from "../../base/check_arguments.ts";
import { checkBoolean, checkLimits } from "../../base/check_options.ts";
import { checkPool } from "../../memory/buffer_pool.ts";
import { StepStream } from "../../base/step_stream.ts";
import { PACKET_NAMES, type PacketOptions, PacketReader } from "./packet_reader.ts";

/**
 * A connection's bytes → its packets, in one array for each chunk read.
 *
 * Errors with `UnknownClient`, `ClientIsNewer`, `TruncatedHandshake`, `TruncatedPacket` or
 * `PacketTooLarge`, once the packets before have been read.
 *
 * @example
 * ```ts
 * import { PacketStream } from "@rerelay/server";
 * import { assertEquals } from "@std/assert";
 *
 * const hello = Uint8Array.of(1, 0, ...new TextEncoder().encode("rerun"));
 * const bytes = Uint8Array.of(...hello, 2, 0, 0, 0, 7, 8);
 * const packets = new Blob([bytes]).stream().pipeThrough(new PacketStream());
 * assertEquals(await Array.fromAsync(packets), [[Uint8Array.of(7, 8)]]);
 * ```
 */
export class PacketStream extends StepStream<Uint8Array, Uint8Array> {
  /**
   * Expects the first byte of a connection.
   *
   * @param options limit of a packet in bytes, and whom to tell of the handshake
   * @throws {RangeError} if the limit is not above 0
   */
  constructor(options: PacketOptions = {}) {
    checkOptions("PacketStream", options, PACKET_NAMES);
    checkLimits(options);
    checkCallable(options, ["onHandshake"]);
    checkPool("PacketStream", options.pool);
    for (const name of ["inSlabs", "holdsGreeted"] as const) {
      if (options[name] !== undefined) checkBoolean(name, options[name]);
    }
    super(new PacketReader(options));
  }
}
