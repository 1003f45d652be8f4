/**
 * A headless server for Rerun logging SDKs: `serve` picks the adapters of the runtime it runs on,
 * all else is the same as in `@rerelay/server/core`.
 *
 * @module
 */
export * from "./core.ts";
export { serve } from "./lib/server/serve.ts";
export { UnsupportedRuntime } from "./lib/base/errors.ts";
