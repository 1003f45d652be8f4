/**
 * A headless server for Rerun logging SDKs.
 *
 * @module
 */
export * from "./lib/errors.ts";
