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
      const stat = await readFile(`/proc/${pid}/stat`, "utf8");
      // Behind the name, which may have spaces and brackets.
      const words = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
      if (hasEnded(words)) return undefined;
      const started = words[19];
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

/**
 * Whether a process has ended and only its number is left, until its parent asks how it ended: in a
 * container without an init that may be never. With threads it has not: one of them may still wait
 * for the disk.
 *
 * @param words of `/proc/PID/stat`, from the state on
 */
function hasEnded(words: readonly string[]): boolean {
  return /^[ZX]$/.test(words[0]!) && Number(words[17]) <= 1;
}

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
