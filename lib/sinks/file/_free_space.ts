/**
 * Warns before a disk is full.
 *
 * @module
 */
import type { Clock } from "../../base/clock.ts";
import type { FileReadAdapter } from "../../adapters/files/types.ts";
import type { Log } from "../../base/log.ts";

/** From one look to the next, in milliseconds. */
const INTERVAL_MS = 5000;
/** With less free space than this, in bytes, it warns at any speed of writing. */
const LITTLE_BYTES = 256 * 2 ** 20;
/** It also warns if the disk will be full within so many seconds. */
const SOON_SEC = 600;

/** Options of {@linkcode FreeSpace}. */
export interface FreeSpaceOptions {
  /** `""` is the current one. */
  readonly folder: string;
  readonly adapter: Pick<FileReadAdapter, "freeBytes">;
  readonly log: Log;
  /** Monotonic milliseconds. */
  readonly now: Clock["now"];
  /** Bytes that were written so far. */
  readonly written: () => number;
}

/** Watches the free space of one folder. */
export class FreeSpace {
  #lookedAt: number;
  #before: number;
  #isLooking = false;
  #isTold = false;

  /** @param options folder, clock and log */
  constructor(readonly options: FreeSpaceOptions) {
    this.#lookedAt = options.now() - INTERVAL_MS;
    this.#before = options.written();
  }

  /** Looks, if the last look is long enough ago. */
  look(): void {
    const now = this.options.now();
    const passedMs = now - this.#lookedAt;
    if (passedMs < INTERVAL_MS || this.#isLooking) return;
    const written = this.options.written();
    const bytesPerSec = (written - this.#before) / (passedMs / 1000);
    this.#lookedAt = now;
    this.#before = written;
    this.#isLooking = true;
    void this.#look(bytesPerSec).finally(() => this.#isLooking = false);
  }

  async #look(bytesPerSec: number): Promise<void> {
    const { folder, adapter, log } = this.options;
    const free = await adapter.freeBytes(folder).catch(() => undefined);
    if (free === undefined) return;
    const enough = Math.max(LITTLE_BYTES, bytesPerSec * SOON_SEC);
    // It warns again only after there was much more.
    if (free > 2 * enough) this.#isTold = false;
    if (free > enough || this.#isTold) return;
    this.#isTold = true;
    const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(bytes < 1e7 ? 1 : 0)} MB`;
    const soon = bytesPerSec > 0
      ? `; at ${megabytes(bytesPerSec)}/s it is full in ${Math.round(free / bytesPerSec)} s`
      : "";
    const text = `Only ${megabytes(free)} are free in ${folder || "."}${soon}: make room, or use ` +
      "--keep-size";
    log.write("warn", text, { path: folder || ".", free, kind: "little space" });
  }
}
