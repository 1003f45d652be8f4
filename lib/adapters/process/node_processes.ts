/**
 * Which processes run, on both runtimes.
 *
 * @module
 */
import { readFile, readlink } from "node:fs/promises";
import process from "node:process";
import { holdFile, isFileHeld } from "./held_files.ts";
import { openFiles } from "./open_files.ts";
import type { ProcessAdapter } from "./types.ts";

/** The part of Deno that is used here; this file is also type-checked without Deno's types. */
interface WithDeno {
  readonly Deno?: {
    readonly permissions: { querySync(asked: { name: "run" }): { readonly state: string } };
  };
}

/** Processes by `/proc` where there is one, else by signal 0, else by the files that they hold. */
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
      // With the container's namespace: each container numbers its processes for itself.
      return `${pid} ${started} ${await readlink("/proc/self/ns/pid")}`;
    } catch (error) {
      const isLinux = process.platform === "linux";
      if (isLinux && (error as { code?: string }).code === "ENOENT") return undefined;
      if (mayAsk()) return isRunning(pid) ? `${pid}` : undefined;
      // No signals may be sent, so others see only by the files that we hold whether we run.
      return pid === process.pid ? `${pid} ~${Math.round(performance.timeOrigin)}` : undefined;
    }
  },
  isUnseen: (identity) => /^\d+ ~/.test(identity),
  hold: holdFile,
  isHeld: isFileHeld,
};

/** Whether signal 0 may be sent: on Deno only programs that may start others may send signals. */
function mayAsk(): boolean {
  const { Deno } = globalThis as WithDeno;
  if (Deno === undefined || "Bun" in globalThis) return true;
  return Deno.permissions.querySync({ name: "run" }).state === "granted";
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as { code?: string }).code === "EPERM";
  }
}
