import { checkGiven, hasMethods } from "../base/check_arguments.ts";
import type { LogMsg } from "../encoding/log_msg.ts";
import { StepStream } from "../base/step_stream.ts";
import { Bridge, type BridgeCounts } from "./bridge.ts";

/**
 * Messages of any SDK → the same in the form of today's Rerun, as far as they have one; see
 * {@linkcode Bridge}.
 *
 * @example
 * ```ts
 * import { RrdDecodeStream } from "@rerelay/server";
 * import { BridgeStream } from "@rerelay/server/bridge";
 * import { assertEquals } from "@std/assert";
 *
 * const file = Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 22, 1, 0, 0, 1, 0, 0);
 * const messages = new Blob([file]).stream().pipeThrough(new RrdDecodeStream())
 *   .pipeThrough(new BridgeStream());
 * assertEquals(await Array.fromAsync(messages), []);
 * ```
 */
export class BridgeStream extends StepStream<readonly LogMsg[], LogMsg> {
  readonly #bridge: Bridge;

  /**
   * Expects the first messages of a stream.
   *
   * @param bridge what gives them their form
   */
  constructor(bridge: Bridge = new Bridge()) {
    checkGiven("BridgeStream", "a Bridge", hasMethods(bridge, "bridge"), bridge);
    super(bridge);
    this.#bridge = bridge;
  }

  /** What came of the messages so far. */
  get counts(): BridgeCounts {
    return this.#bridge.counts;
  }
}
