import { checkGiven, hasMethods } from "./check_arguments.ts";
import type { Step, StepResult } from "./step.ts";

/**
 * A step as a stream: it errors as streams do, but only after all that came before the error was
 * read.
 *
 * @example
 * ```ts
 * import { type Step, StepStream } from "@rerelay/server/flow";
 * import { assertEquals } from "@std/assert";
 *
 * // Doubles numbers.
 * const step: Step<number, number> = {
 *   push: (n) => ({ items: [2 * n] }),
 *   finish: () => ({ items: [] }),
 * };
 * const doubled = ReadableStream.from([1, 2]).pipeThrough(new StepStream(step));
 * assertEquals(await Array.fromAsync(doubled), [[2], [4]]);
 * ```
 */
export class StepStream<I, O> extends TransformStream<I, O[]> {
  readonly #readable: ReadableStream<O[]>;

  /**
   * Wraps a step.
   *
   * @param step what the stream does to each chunk
   */
  constructor(step: Step<I, O>) {
    const isStep = hasMethods(step, "push", "finish");
    checkGiven("StepStream", "a step with push() and finish()", isStep, step);
    // An errored stream throws away what waits in its queue, so the error goes through as an item.
    const pass = (
      { items, error }: StepResult<O>,
      controller: TransformStreamDefaultController<O[] | Error>,
    ) => {
      if (items.length > 0) controller.enqueue(items);
      if (error === undefined) return;
      controller.enqueue(error);
      controller.terminate();
    };
    super({
      transform: (chunk, controller) => pass(step.push(chunk), controller),
      flush: (controller) => pass(step.finish(), controller),
    } as Transformer<I, O[]>);
    this.#readable = raising(super.readable);
  }

  /** What the step made, in one array for each chunk that made something; errors behind all of it. */
  override get readable(): ReadableStream<O[]> {
    return this.#readable;
  }
}

/** Passes items on, and errors where an item is an error. */
function raising<T>(source: ReadableStream<T | Error>): ReadableStream<T> {
  const reader = source.getReader();
  return new ReadableStream<T>({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) controller.close();
      else if (value instanceof Error) controller.error(value);
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}
