/**
 * How a scanner of RRD bytes reads.
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
   * Whether messages must be sound inside too: Arrow data, and nothing behind a value; default where
   * it recovers.
   */
  readonly checkInside?: boolean;
  /** Length of the whole input where it is known: what is said to go on behind it is damage at once. */
  readonly sizeBytes?: number | undefined;
  /**
   * Whether messages and footers may be as peers may send them, such as with two lengths that differ.
   *
   * @internal
   */
  readonly isLenient?: boolean;
  /**
   * So many bytes behind damage are searched at once, before `isSearching` gives the caller time for
   * something else; default all that came.
   *
   * @internal
   */
  readonly searchBytes?: number;
}

/** Names of all of them. */
export const SCANNER_NAMES: OptionNames<RrdScannerOptions> = {
  ...DECODE_LIMITS,
  ...{ recover: true, checkInside: true, sizeBytes: true, isLenient: true, searchBytes: true },
};
