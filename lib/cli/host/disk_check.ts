/**
 * Checks whether recordings can be saved: by writing a file of one byte, and by the free space.
 *
 * @module
 */
import type { FileAdapter } from "../../adapters/files/types.ts";
import type { Clock } from "../../base/clock.ts";
import { reason } from "../../base/errors.ts";
import type { ReadyCheck } from "../../base/readiness.ts";
import { formatBytes } from "../terminal/units.ts";

/** How long a result counts, in milliseconds, for probes may ask every second. */
const FRESH_MS = 5000;

/** Characters of the pattern's name in the name of the file that is tried: names have 255 bytes. */
const NAME_LENGTH = 60;

/**
 * The name of the file that is tried.
 *
 * @param name of the pattern, of any length
 * @param pid of this process
 */
export function probeName(name: string, pid: number): string {
  return `${name.slice(0, NAME_LENGTH)}.${pid}.probe`;
}

/** Options of {@linkcode diskCheck}. */
export interface DiskCheckOptions {
  readonly files: FileAdapter;
  /** With the separator at its end; `""` is the current one. */
  readonly folder: string;
  /** Name of a file that nobody else has. */
  readonly probe: string;
  /** With less room than this the disk is not ready, in bytes. */
  readonly minFreeBytes: number;
  /** Monotonic milliseconds. */
  readonly now: Clock["now"];
}

/** Makes the check of the folder of `--save`. */
export function diskCheck(options: DiskCheckOptions): ReadyCheck {
  let asked: { readonly at: number; readonly answer: Promise<string | undefined> } | undefined;
  return () => {
    const now = options.now();
    // A failed check is repeated at once, so that a disk that has room again is ready again.
    if (asked === undefined || now - asked.at >= FRESH_MS) {
      const answer = tryDisk(options);
      const mine = asked = { at: now, answer };
      void answer.then((why) => {
        if (why !== undefined && asked === mine) asked = undefined;
      });
    }
    return asked.answer;
  };
}

async function tryDisk(options: DiskCheckOptions): Promise<string | undefined> {
  const { files, folder, probe, minFreeBytes } = options;
  const shown = folder || ".";
  try {
    const free = await files.freeBytes(folder);
    if (free !== undefined && free < minFreeBytes) {
      return `${shown} has ${formatBytes(free)} left, less than --ready-free ` +
        formatBytes(minFreeBytes);
    }
    const path = folder + probe;
    const file = await files.create(path, "replace");
    try {
      await file.write(new Uint8Array(1));
    } finally {
      await file.close().finally(() => files.remove(path));
    }
    return undefined;
  } catch (error) {
    return `${shown} can't be written: ${reason(error)}`;
  }
}
