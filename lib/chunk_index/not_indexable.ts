import { RerelayError } from "../base/errors.ts";

/**
 * A recording that can't have a chunk index; it is read without one, as a whole.
 */
export class NotIndexable extends RerelayError {
  /**
   * Takes the reason.
   *
   * @param why as in "it has no chunk index: WHY"
   * @param about what it is about: the form of an older version, ids that SDK 0.23 left out, the size of the
   * index, or the chunks
   */
  constructor(
    readonly why: string,
    readonly about: "form" | "ids" | "size" | "chunks" = "chunks",
    options?: ErrorOptions,
  ) {
    super(`No chunk index: ${why}`, options);
  }
}
