/**
 * Which runtime this program runs on.
 *
 * @module
 */
import { UnsupportedRuntime } from "../base/errors.ts";

/** A runtime that there are adapters for. */
export type Runtime = "deno" | "bun";

/**
 * Names the runtime this program runs on.
 *
 * @param globals where to look for the runtimes' own objects
 * @throws {UnsupportedRuntime} if it is neither Deno nor Bun
 */
export function detectRuntime(globals: object = globalThis): Runtime {
  // Bun is looked for first: some packages define a `Deno` on other runtimes, to run Deno's
  // programs.
  if ("Bun" in globals) return "bun";
  if ("Deno" in globals) return "deno";
  throw new UnsupportedRuntime(["Deno", "Bun"]);
}
