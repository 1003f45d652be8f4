import { RerelayError } from "../base/errors.ts";

/**
 * A recording that can't have a chunk index; it is read without one, as a whole.
 *
 * @example
 * ```ts
 * import { buildFooter, NotIndexable } from "@rerelay/server/rrd";
 * import { assertRejects } from "@std/assert";
 *
 * const header = Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 22, 1, 0, 0, 1, 0, 0);
 * const stream = new Blob([header]).stream();
 * await assertRejects(() => buildFooter(stream), NotIndexable, "SDK 0.22");
 * ```
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
