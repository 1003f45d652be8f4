/**
 * Sinks: where received messages go.
 *
 * @module
 */
import { checkGiven, hasMethods } from "../base/check_arguments.ts";
import { newTally, type Tally } from "../base/tally.ts";
import type { SmartMessage } from "../flow/channel/smart_message.ts";

/**
 * Takes what the fan-out receives.
 *
 * A *holding* sink returns a promise, and nothing more is received until it resolves: it must end
 * its waits itself. A *shedding* sink returns `undefined` at once and looks after its own queue. A
 * sink that keeps a message beyond `write` copies its bytes, for they keep a whole read buffer
 * alive, and with `reuseBuffers` they will be overwritten.
 */
export interface Sink {
  /** Names it in log lines. */
  readonly name: string;
  /** What it could not keep so far, if it counts that itself; if not, failed batches are counted. */
  readonly lost?: Tally | undefined;
  /** Whether anything went wrong with it, besides what it lost. */
  readonly failed?: boolean;
  /** Takes a batch; rejects or throws if it can't be kept. */
  write(batch: readonly SmartMessage[]): Promise<void> | void;
  /** Finishes what it holds. Called while a `write` runs, it cuts that at the next whole message. */
  close(): Promise<void>;
}

/**
 * Refuses what is not a sink.
 *
 * @param taker the function that needs one
 * @param sink what was passed
 * @throws {TypeError} that names the function
 */
export function checkSink(taker: string, sink: unknown): void {
  const isSink = hasMethods(sink, "write", "close");
  checkGiven(taker, "a sink with write() and close(), such as rrdFileSink gives", isSink, sink);
}

/**
 * Counts the log messages of a batch, without the quits.
 *
 * @param batch any batch
 */
export function tallyOf(batch: readonly SmartMessage[]): Tally {
  const tally = newTally();
  for (const { payload } of batch) {
    if (payload.type !== "msg") continue;
    tally.messages++;
    tally.bytes += payload.msg.encoded.bytes.length;
  }
  return tally;
}
