/**
 * The lock by which commands avoid each other's outputs, and those of a server that saves.
 *
 * @module
 */
export { lockSaving, unfinishedName } from "./parts/save_lock.ts";
