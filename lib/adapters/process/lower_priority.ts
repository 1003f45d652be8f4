/**
 * Work that may wait for all other.
 *
 * @module
 */
import { setPriority } from "node:os";
import process from "node:process";

/** As `nice` has it: the least. */
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
    // It is done at the priority that it has.
  }
}

/** To be asked for a permission would stop the program. */
function isGranted(): boolean {
  if (!("Deno" in globalThis) || "Bun" in globalThis) return true;
  return Deno.permissions.querySync({ name: "sys", kind: "setPriority" }).state === "granted";
}
