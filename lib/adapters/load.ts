/**
 * Loads the adapters of the runtime that this is, and no other's.
 *
 * @module
 */
import type { FileAdapter } from "./files/types.ts";
import type { HttpAdapter } from "./http/types.ts";
import type { ProcessAdapter } from "./process/types.ts";
import { detectRuntime } from "./runtime.ts";
import type { TcpAdapter } from "./tcp/types.ts";

/**
 * Loads this runtime's TCP.
 *
 * @throws {UnsupportedRuntime} if it is neither Deno nor Bun
 */
export async function loadTcpAdapter(): Promise<TcpAdapter> {
  return detectRuntime() === "deno"
    ? (await import("./tcp/deno_tcp.ts")).denoTcp
    : (await import("./tcp/bun_tcp.ts")).bunTcp;
}

/**
 * Loads this runtime's way to collect garbage.
 *
 * @throws {UnsupportedRuntime} if it is neither Deno nor Bun
 */
export async function loadGarbageCollector(): Promise<(onlyBegin?: boolean) => void> {
  return detectRuntime() === "deno"
    ? (await import("./process/deno_memory.ts")).collectGarbage
    : (await import("./process/bun_memory.ts")).collectGarbage;
}

/**
 * Loads this runtime's files.
 *
 * @throws {UnsupportedRuntime} if it is neither Deno nor Bun
 */
export async function loadFileAdapter(): Promise<FileAdapter> {
  return detectRuntime() === "deno"
    ? (await import("./files/deno_files.ts")).denoFiles
    : (await import("./files/bun_files.ts")).bunFiles;
}

/**
 * Loads the way to ask for processes, the same for both runtimes.
 *
 * @throws {UnsupportedRuntime} if it is neither Deno nor Bun
 */
export async function loadProcessAdapter(): Promise<ProcessAdapter> {
  detectRuntime();
  return (await import("./process/node_processes.ts")).nodeProcesses;
}

/**
 * Loads HTTP, the same for both runtimes.
 *
 * @throws {UnsupportedRuntime} if it is neither Deno nor Bun
 */
export async function loadHttpAdapter(): Promise<HttpAdapter> {
  detectRuntime();
  return (await import("./http/node_http.ts")).nodeHttp;
}
