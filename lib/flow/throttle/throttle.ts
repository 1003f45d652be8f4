import type { LogMsg } from "../../encoding/log_msg.ts";
import type { Step, StepResult } from "../../base/step.ts";
import type { CongestionManager } from "./congestion_manager.ts";

/** What a throttle needs to know of the queue that it protects. */
export interface QueueLoad {
  /** Age of the oldest waiting message in seconds, 0 if none waits. */
  readonly latencySec: number;
  /** How much of its share of the memory is taken, 0 to 1. */
  readonly filled: number;
}

/**
 * When more than this of its share is taken, no new frame is let in: the rest is for frames that
 * have begun, and for what is never dropped.
 *
 * The share shrinks while the client fills it: when 7/16 of it are taken, the client holds 7/8 of
 * the most that a client alone can hold.
 */
const REFUSE_ABOVE = 7 / 16;

/** Log messages → those that may pass. */
export class Throttle implements Step<readonly LogMsg[], LogMsg> {
  readonly #congestion: CongestionManager;
  readonly #load: QueueLoad;

  /**
   * @param congestion decides
   * @param load how full the queue behind is; read once for each batch
   */
  constructor(congestion: CongestionManager, load: QueueLoad) {
    this.#congestion = congestion;
    this.#load = load;
  }

  push(msgs: readonly LogMsg[]): StepResult<LogMsg> {
    const congestion = this.#congestion;
    if (!congestion.isBounded) return { items: msgs as LogMsg[] };
    const { latencySec, filled } = this.#load;
    congestion.registerLatency(latencySec, filled);
    const full = filled > REFUSE_ABOVE;
    return { items: msgs.filter((msg) => congestion.judge(msg, full) === "send") };
  }

  finish(): StepResult<LogMsg> {
    this.#congestion.finish();
    return { items: [] };
  }
}
