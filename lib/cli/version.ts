/**
 * The version of this package, as a constant, so that no file has to be read; a test compares it
 * with `deno.json`.
 *
 * @module
 */

/** The version of this package. */
export const VERSION = "0.2.0";
