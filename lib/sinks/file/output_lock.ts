/**
 * How commands keep out of each other's way, and out of that of a server that saves.
 *
 * @module
 */
export { lockSaving, unfinishedName } from "./parts/save_lock.ts";
