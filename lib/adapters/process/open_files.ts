/**
 * How many files and sockets this process may have open, and how they are shared out: connections
 * must not keep files from being opened, nor viewers SDKs from being let in.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import process from "node:process";

const LIMITS = "/proc/self/limits";
/** Files that may be saved into at the same time, where the limit has room for so many. */
const FEW_FILES = 256;
const MOST_FILES = 4096;
/**
 * Connections come first: of a limit above this, half of the rest is for more files. Files can take
 * turns, connections can't.
 */
const CONNECTIONS_FIRST = 16_384;
/**
 * How many that are where the limit can't be read: a quarter of 4096, the least that Linux lets a
 * process raise its limit to unless somebody set it lower. What does not fit all the same is found
 * out by trying.
 */
const UNKNOWN_FILES = 1024;
/** Descriptors that are left for the runtime itself, and for files that are open for a moment. */
const SPARE = 64;

/** How many files and sockets of each kind may be open. */
export interface OpenFiles {
  /** Descriptors of the whole process; infinity where the system does not tell. */
  readonly limit: number;
  /** Files that may be saved into at once. */
  readonly files: number;
  /** Connections that may be open, of SDKs and viewers. */
  readonly sockets: number;
  /** How many of these may be connections to one port for viewers. */
  readonly viewers: number;
}

/**
 * Shares out a limit.
 *
 * @param limit of file descriptors; infinity where nobody knows it
 */
export function shareOut(limit: number): OpenFiles {
  const few = Math.min(FEW_FILES, Math.max(4, Math.floor(limit / 4) - 8));
  const more = Math.min(MOST_FILES, Math.floor((limit - CONNECTIONS_FIRST) / 2));
  const files = limit === Infinity ? UNKNOWN_FILES : Math.max(few, more);
  const sockets = limit - Math.min(files + SPARE, Math.ceil(limit * 0.6));
  return { limit, files, sockets, viewers: Math.ceil(sockets / 4) };
}

/** The part of Deno that is used here; this file is also type-checked without Deno's types. */
interface WithDeno {
  readonly Deno?: {
    readonly permissions: {
      querySync(asked: { name: "read"; path: string }): { readonly state: string };
    };
  };
}

function softLimit(): number {
  const { Deno } = globalThis as WithDeno;
  const isDeno = Deno !== undefined && !("Bun" in globalThis);
  if (isDeno && Deno.permissions.querySync({ name: "read", path: LIMITS }).state !== "granted") {
    return Infinity;
  }
  try {
    const [, soft] = /^Max open files +(\d+)/m.exec(readFileSync(LIMITS, "utf8")) ?? [];
    if (soft !== undefined) return Number(soft);
  } catch {
    // Not Linux; or Deno, which gives files of the system only to programs that may do everything.
  }
  // A diagnostic report tells it elsewhere, but on Deno that needs permissions that nobody gives.
  if (isDeno) return Infinity;
  const report = process.report?.getReport?.() as
    | { userLimits?: { open_files?: { soft: number | string } } }
    | undefined;
  const soft = Number(report?.userLimits?.open_files?.soft);
  return Number.isNaN(soft) ? Infinity : soft; // "unlimited", or a system without such limits
}

let shares: OpenFiles | undefined;

/** The shares of this process; both runtimes have raised the limit as far as they may by now. */
export function openFiles(): OpenFiles {
  return shares ??= shareOut(softLimit());
}

/** Connections that are open, of all listeners of this process. */
class Sockets {
  #open = 0;
  #waiting: PromiseWithResolvers<void> | undefined;

  /** Whether one more may be open. */
  get hasRoom(): boolean {
    return this.#open < openFiles().sockets;
  }

  /** Counts one more. */
  opened(): void {
    this.#open++;
  }

  /** Counts one less. */
  closed(): void {
    this.#open--;
    this.wake();
  }

  /** Resolves when one is closed, or at {@linkcode Sockets.wake}. */
  change(): Promise<void> {
    return (this.#waiting ??= Promise.withResolvers()).promise;
  }

  wake(): void {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }
}

/**
 * The connections of this process: the limit of descriptors is the process's, whichever server uses
 * them.
 */
export const sockets: Sockets = new Sockets();
