/**
 * Adapters: the interfaces through which the server uses its runtime, for those who write adapters
 * of their own, and the two that need no runtime, TCP and files in memory.
 *
 * @module
 */
export type * from "./tcp/types.ts";
export type * from "./files/types.ts";
export type * from "./http/types.ts";
export type * from "./process/types.ts";
export type { NetAddr } from "../base/net_addr.ts";
export { type MemoryClient, type MemoryNet, memoryTcp } from "./tcp/memory_tcp.ts";
export {
  type FileHook,
  type FileOperation,
  type MemoryFiles,
  memoryFiles,
} from "./files/memory_files.ts";
export { FileExists, TcpBindError, TooManyOpenFiles } from "../base/errors.ts";
