/**
 * How many files and sockets this process may have open, and how they are shared out: connections
 * must not keep files from being opened, nor viewers SDKs from being let in.
 *
 * @module
 */
import { readFileSync } from "node:fs";
import process from "node:process";

const LIMITS = "/proc/self/limits";
/** Files that are saved into at once, where there is room. */
const MOST_FILES = 256;
/** For what the runtime itself has open, and for files that are open for a moment. */
const SPARE = 64;

/** How many files and sockets there may be of each kind. */
export interface OpenFiles {
  /** Infinity where nobody tells. */
  readonly limit: number;
  /** Files that may be saved into at once. */
  readonly files: number;
  /** Connections that may be open, of SDKs and viewers. */
  readonly sockets: number;
  /** Of these, connections to one port for viewers. */
  readonly viewers: number;
}

/**
 * Shares out a limit.
 *
 * @param limit of file descriptors
 */
export function shareOut(limit: number): OpenFiles {
  const files = Math.min(MOST_FILES, Math.max(4, Math.floor(limit / 4) - 8));
  const sockets = limit - Math.min(files + SPARE, Math.ceil(limit * 0.6));
  return { limit, files, sockets, viewers: Math.ceil(sockets / 4) };
}

/** What is asked of Deno, whose types are not at hand everywhere that this file is read. */
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
  // A report tells of much else: Deno asks for permissions that nobody gives.
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

  /** One more is. */
  opened(): void {
    this.#open++;
  }

  /** One less. */
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

/** Those of this process. */
export const sockets: Sockets = new Sockets();
