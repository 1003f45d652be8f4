/**
 * A lower priority, for work that may wait until all other work is done.
 *
 * @module
 */
import { setPriority } from "node:os";
import process from "node:process";

/** The lowest priority, in the numbers of nice(1). */
const LEAST = 19;

/**
 * Lowers the priority of the thread that calls it, such as that of a worker; does nothing where threads
 * have none of their own (all but Linux), or where that is not permitted (on Deno
 * `--allow-sys=setPriority`).
 */
export function lowerPriority(): void {
  if (process.platform !== "linux" || !isGranted()) return;
  try {
    setPriority(0, LEAST);
  } catch {
    // Not permitted: the work is done at the usual priority.
  }
}

/** Asked before, for Deno would stop the program and prompt for a permission that is missing. */
function isGranted(): boolean {
  if (!("Deno" in globalThis) || "Bun" in globalThis) return true;
  return Deno.permissions.querySync({ name: "sys", kind: "setPriority" }).state === "granted";
}
