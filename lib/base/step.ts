/**
 * Pure steps: what every stage of the pipeline does, without streams around it.
 *
 * @module
 */

/** What a step made of its input. "Not enough yet" is an empty result, never an exception. */
export interface StepResult<T> {
  /** The items that are complete now; they come before the error. */
  readonly items: T[];
  /** Ends the step: what is pushed afterwards is ignored. */
  readonly error?: Error;
}

/** Turns pieces of input into items, keeping what is not whole yet. */
export interface Step<I, O> {
  /** Takes the next piece of input. */
  push(input: I): StepResult<O>;
  /** Says that the input is over. */
  finish(): StepResult<O>;
}
