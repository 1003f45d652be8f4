import { checkGiven, hasMethods } from "../../base/check_arguments.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import { StepStream } from "../../base/step_stream.ts";
import type { CongestionManager } from "./congestion_manager.ts";
import { type QueueLoad, Throttle } from "./throttle.ts";

/** The load where no queue is behind, or nobody asks how full it is. */
const EMPTY: QueueLoad = { latencySec: 0, filled: 0 };

/**
 * Log messages → those that may pass, so that what waits behind stays fresh.
 *
 * @example
 * ```ts
 * import { CongestionManager, ThrottleStream } from "@rerelay/server/flow";
 * import { assertEquals } from "@std/assert";
 *
 * const congestion = new CongestionManager({ maxLatencySec: 0.2 });
 * const queue = { latencySec: 0, filled: 0 };
 * const throttle = new ThrottleStream(congestion, queue);
 * assertEquals(await Array.fromAsync(ReadableStream.from([[]]).pipeThrough(throttle)), []);
 * ```
 */
export class ThrottleStream extends StepStream<readonly LogMsg[], LogMsg> {
  /**
   * Protects a queue.
   *
   * @param congestion decides which messages pass
   * @param load how full the queue behind is, read once for each batch, so it may be an object with
   * getters; left out, it counts as empty
   */
  constructor(congestion: CongestionManager, load: QueueLoad = EMPTY) {
    const decides = hasMethods(congestion, "registerLatency");
    checkGiven("ThrottleStream", "a CongestionManager", decides, congestion);
    super(new Throttle(congestion, load));
  }
}
