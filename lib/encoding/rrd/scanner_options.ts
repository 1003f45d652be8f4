/**
 * Options of the scanner of RRD bytes.
 *
 * @module
 */
import type { OptionNames } from "../../base/check_arguments.ts";
import { DECODE_LIMITS, type DecodeLimits } from "../limits.ts";

/** Options of {@linkcode RrdScanner}. */
export interface RrdScannerOptions extends DecodeLimits {
  /** Whether to look for whole messages behind damage; else the first damage ends it. */
  readonly recover?: boolean;
  /**
   * Whether the inside of messages is checked too: their Arrow data, and that nothing follows a
   * value; default is the value of `recover`.
   */
  readonly checkInside?: boolean;
  /** Length of the whole input, if known: a message that would reach beyond it is damage at once. */
  readonly sizeBytes?: number | undefined;
  /**
   * Whether messages and footers may be as peers may send them, such as with two lengths that differ.
   *
   * @internal
   */
  readonly isLenient?: boolean;
  /**
   * Bytes behind damage that are searched at once; then `isSearching` lets the caller do other
   * work. Default: all that came.
   *
   * @internal
   */
  readonly searchBytes?: number;
}

/** Names of all options. */
export const SCANNER_NAMES: OptionNames<RrdScannerOptions> = {
  ...DECODE_LIMITS,
  ...{ recover: true, checkInside: true, sizeBytes: true, isLenient: true, searchBytes: true },
};
