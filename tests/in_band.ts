/**
 * Streams of step results: errors travel among the items, because a stream that is errored throws
 * away what still waits in its queue.
 *
 * @module
 */
import type { Step, StepResult } from "../lib/base/step.ts";

/** Told of each read of a connection. */
export interface ReadObserver {
  /** Bytes are asked for. */
  onAsk(): void;
  /** So many came; none if the connection is over. */
  onAnswer(bytes: number, hasMore: boolean): void;
  /** The connection is over: the reason, where it was we who ended it for one. */
  onEnd(): Error | undefined;
}

/**
 * Wraps chunks into results; an error of the stream becomes the last one.
 *
 * @param source what a connection receives
 * @param observer told when it is read
 */
export function inBand(
  source: ReadableStream<Uint8Array>,
  observer: ReadObserver,
): ReadableStream<StepResult<Uint8Array>> {
  const reader = source.getReader();
  return new ReadableStream({
    async pull(controller) {
      try {
        observer.onAsk();
        const { done, value } = await reader.read();
        observer.onAnswer(value?.length ?? 0, false);
        if (!done) return controller.enqueue({ items: [value] });
        const error = observer.onEnd();
        if (error !== undefined) controller.enqueue({ items: [], error });
        controller.close();
      } catch (error) {
        observer.onAnswer(0, false);
        controller.enqueue({ items: [], error: asError(error) });
        controller.close();
      }
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

/**
 * A step on batches as a stage of a connection: after an error, its own or one from before, nothing
 * follows.
 *
 * @param step what the stage does
 */
export function stage<I, O>(
  step: Step<readonly I[], O>,
): TransformStream<StepResult<I>, StepResult<O>> {
  return new TransformStream({
    transform({ items, error }, controller) {
      const made = step.push(items);
      const output = error === undefined || made.error !== undefined ? made : { ...made, error };
      if (output.items.length > 0 || output.error !== undefined) controller.enqueue(output);
      // Closes the way on behind what waits there, and the way back down to the socket.
      if (output.error !== undefined) controller.terminate();
    },
    flush(controller) {
      const output = step.finish();
      if (output.items.length > 0 || output.error !== undefined) controller.enqueue(output);
    },
  });
}

/**
 * A step on single items as one on batches, up to its first error.
 *
 * @param step what is done to each item
 */
export function each<I, O>(step: Step<I, O>): Step<readonly I[], O> {
  return {
    push(batch) {
      // Most batches hold a single item: what is made of it is passed on as it is.
      if (batch.length === 1) return step.push(batch[0]!);
      const items: O[] = [];
      for (const item of batch) {
        const made = step.push(item);
        for (const each of made.items) items.push(each);
        if (made.error !== undefined) return { items, error: made.error };
      }
      return { items };
    },
    finish: () => step.finish(),
  };
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
