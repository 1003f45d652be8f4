/**
 * How much memory this program may use.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import { totalmem } from "node:os";
import process from "node:process";
import { mayAsk } from "../may_ask.ts";
import { containerMemory } from "./container_memory.ts";

/**
 * The machine's memory, or what a container may have of it.
 *
 * @returns bytes; `undefined` on Deno without `--allow-sys=systemMemoryInfo`: asking for a permission would
 *   stop the program
 */
export function systemMemory(): number | undefined {
  if (!mayAsk({ name: "sys", kind: "systemMemoryInfo" })) return undefined;
  // The runtime's own value needs no permission, but is 0, or more than all memory, if it knows of
  // no limit.
  const constrained = process.constrainedMemory?.() || Infinity;
  return Math.min(totalmem(), containerMemory(readSystem) ?? Infinity, constrained);
}

function readSystem(path: string): string | undefined {
  if (!mayAsk({ name: "read", path })) return undefined;
  try {
    return readFileSync(path, "utf8");
  } catch {
    // Not Linux; or Deno, which gives files of the system only to programs that may do everything.
    return undefined;
  }
}
