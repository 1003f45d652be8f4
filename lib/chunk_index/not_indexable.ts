import { RerelayError } from "../base/errors.ts";

/** Thrown for a recording that can't have a chunk index; readers read such a file as a whole. */
export class NotIndexable extends RerelayError {
  /**
   * Makes the error.
   *
   * @param why as in "it has no chunk index: WHY"
   * @param about the cause: the form of an older version, ids that SDK 0.23 left out, the size of
   * the index, or the chunks
   */
  constructor(
    readonly why: string,
    readonly about: "form" | "ids" | "size" | "chunks" = "chunks",
    options?: ErrorOptions,
  ) {
    super(`No chunk index: ${why}`, options);
  }
}
