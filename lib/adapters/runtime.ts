/**
 * Finds out which runtime this is.
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
  // Bun first: some packages put an object named Deno beside it to run Deno's programs.
  if ("Bun" in globals) return "bun";
  if ("Deno" in globals) return "deno";
  throw new UnsupportedRuntime(["Deno", "Bun"]);
}
