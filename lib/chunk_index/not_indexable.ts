import { RerelayError } from "../base/errors.ts";

/**
 * A recording that can't have a chunk index; it is read without one, as a whole.
 */
export class NotIndexable extends RerelayError {
  /**
   * Takes the reason.
   *
   * @param why as in "it has no chunk index: WHY"
   * @param isTooLarge whether the index would have too many cells
   */
  constructor(readonly why: string, readonly isTooLarge: boolean = false, options?: ErrorOptions) {
    super(`No chunk index: ${why}`, options);
  }
}
