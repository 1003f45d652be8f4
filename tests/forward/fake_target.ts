/** A target that notes what it is sent, and fails when it is told to. */
import type { ForwardBatch, MessageTarget } from "../../lib/forward/target.ts";
import { told } from "./chunks.ts";

export interface FakeTarget extends MessageTarget {
  /** What chunks told, in the order in which they were acknowledged. */
  readonly taken: string[];
  /** All batches that it was asked to take. */
  readonly batches: ForwardBatch[];
  /** Called before each batch is taken; may throw in its place, or wait. */
  before: (batch: ForwardBatch) => void | Promise<void>;
}

export function fakeTarget(limits: Partial<MessageTarget["limits"]> = {}): FakeTarget {
  const target: FakeTarget = {
    kind: "messages",
    name: "fake://target",
    limits: { maxBytes: 1000, maxWaitMs: 5, maxUnderWay: 4, ...limits },
    taken: [],
    batches: [],
    before: () => {},
    async send(batch, signal) {
      target.batches.push(batch);
      await target.before(batch);
      signal.throwIfAborted();
      for (const { msg } of batch.messages) {
        const text = told(msg);
        if (text !== undefined) target.taken.push(text);
      }
    },
    close: () => Promise.resolve(),
  };
  return target;
}
