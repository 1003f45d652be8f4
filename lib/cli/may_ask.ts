/**
 * Asks whether this program has a permission.
 *
 * @module
 */

/**
 * Whether something may be done without a prompt: Deno would stop the program to ask for a
 * permission that is missing, and none of ours is worth that.
 *
 * @param permission the permission that it needs on Deno
 */
export function mayAsk(permission: Deno.PermissionDescriptor): boolean {
  if (!("Deno" in globalThis) || "Bun" in globalThis) return true;
  return Deno.permissions.querySync(permission).state === "granted";
}
