/**
 * Finds out which runtime this is, and loads its adapters and no other's.
 *
 * @module
 */
import { UnsupportedRuntime } from "../base/errors.ts";
import type { FileAdapter } from "./files/types.ts";
import type { HttpAdapter } from "./http/types.ts";
import type { ProcessAdapter } from "./process/types.ts";
import type { TcpAdapter } from "./tcp/types.ts";

/** A runtime that there are adapters for. */
export type Runtime = "deno" | "bun";

/**
 * Names the runtime this program runs on.
 *
 * @param globals where to look for the runtimes' own objects
 * @throws UnsupportedRuntime if it is neither Deno nor Bun
 */
export function detectRuntime(globals: object = globalThis): Runtime {
  // Bun first: some packages put an object named Deno beside it to run Deno's programs.
  if ("Bun" in globals) return "bun";
  if ("Deno" in globals) return "deno";
  throw new UnsupportedRuntime(["Deno", "Bun"]);
}

/**
 * Loads this runtime's TCP.
 *
 * @throws UnsupportedRuntime if it is neither Deno nor Bun
 */
export async function loadTcpAdapter(): Promise<TcpAdapter> {
  return detectRuntime() === "deno"
    ? (await import("./tcp/deno_tcp.ts")).denoTcp
    : (await import("./tcp/bun_tcp.ts")).bunTcp;
}

/**
 * Loads this runtime's way to collect garbage.
 *
 * @throws UnsupportedRuntime if it is neither Deno nor Bun
 */
export async function loadGarbageCollector(): Promise<(onlyBegin?: boolean) => void> {
  return detectRuntime() === "deno"
    ? (await import("./process/deno_memory.ts")).collectGarbage
    : (await import("./process/bun_memory.ts")).collectGarbage;
}

/**
 * Loads this runtime's files.
 *
 * @throws UnsupportedRuntime if it is neither Deno nor Bun
 */
export async function loadFileAdapter(): Promise<FileAdapter> {
  return detectRuntime() === "deno"
    ? (await import("./files/deno_files.ts")).denoFiles
    : (await import("./files/bun_files.ts")).bunFiles;
}

/**
 * Loads the way to ask for processes, the same for both runtimes.
 *
 * @throws UnsupportedRuntime if it is neither Deno nor Bun
 */
export async function loadProcessAdapter(): Promise<ProcessAdapter> {
  detectRuntime();
  return (await import("./process/node_processes.ts")).nodeProcesses;
}

/**
 * Loads HTTP, the same for both runtimes.
 *
 * @throws UnsupportedRuntime if it is neither Deno nor Bun
 */
export async function loadHttpAdapter(): Promise<HttpAdapter> {
  detectRuntime();
  return (await import("./http/node_http.ts")).nodeHttp;
}
