/**
 * Whether this program may do something.
 *
 * @module
 */

/**
 * On Deno what is not permitted would stop the program and ask; none of ours is worth that.
 *
 * @param permission what it takes on Deno
 */
export function mayAsk(permission: Deno.PermissionDescriptor): boolean {
  if (!("Deno" in globalThis) || "Bun" in globalThis) return true;
  return Deno.permissions.querySync(permission).state === "granted";
}
