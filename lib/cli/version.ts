/**
 * The version of this package: a constant, so that it needs no file to be read; a test compares it
 * with `deno.json`.
 *
 * @module
 */

/** The version of this package. */
export const VERSION = "0.2.0";
