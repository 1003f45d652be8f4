/**
 * Which processes run, on both runtimes.
 *
 * @module
 */
import { readFile, readlink } from "node:fs/promises";
import process from "node:process";
import { openFiles } from "./open_files.ts";
import type { ProcessAdapter } from "./types.ts";

/** Processes by `/proc` where there is one, else by signal 0. */
export const nodeProcesses: ProcessAdapter = {
  pid: process.pid,
  get maxOpenFiles() {
    return openFiles().files;
  },
  async identity(pid) {
    try {
      // The 20th number behind the name, which may have spaces and brackets, is when it started.
      const stat = await readFile(`/proc/${pid}/stat`, "utf8");
      const started = stat.slice(stat.lastIndexOf(")") + 2).split(" ")[19];
      // Containers count their processes for themselves.
      return `${pid} ${started} ${await readlink("/proc/self/ns/pid")}`;
    } catch (error) {
      const isLinux = process.platform === "linux";
      if (isLinux && (error as { code?: string }).code === "ENOENT") return undefined;
      return isRunning(pid) ? `${pid}` : undefined;
    }
  },
};

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Deno may not let us ask: then a restart after a crash goes before a second program.
    return (error as { code?: string }).code === "EPERM";
  }
}
