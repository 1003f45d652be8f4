/**
 * Loads this runtime's way to send datagrams to a Unix socket, and opens it.
 *
 * @module
 */
import { detectRuntime } from "../runtime.ts";
import type { DatagramSender } from "./types.ts";

/**
 * Opens a way to a Unix socket.
 *
 * @param name the socket's path, or `@` and its abstract name
 * @throws {Error} if it can't be opened
 * @throws UnsupportedRuntime if this is neither Deno nor Bun
 */
export async function datagramSender(name: string): Promise<DatagramSender> {
  return detectRuntime() === "deno"
    ? (await import("./deno_datagrams.ts")).datagramSender(name)
    : await (await import("./bun_datagrams.ts")).datagramSender(name);
}
