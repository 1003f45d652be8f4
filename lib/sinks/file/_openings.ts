/**
 * Files that are made side by side: hundreds of recordings may be announced at once, and each file
 * waits for the disk before it is made.
 *
 * @module
 */
import type { LogMsg } from "../../encoding/log_msg.ts";
import type { Series } from "./_series.ts";

/** The series of recordings that were just announced, while their files are being made. */
export class Openings {
  readonly #opening = new Map<Series, Promise<void>>();

  /** How many there are. */
  get size(): number {
    return this.#opening.size;
  }

  /** Whether the file of a series is being made. */
  has(series: Series): boolean {
    return this.#opening.has(series);
  }

  /** Adds a series, and what resolves when its announcement is in its file. */
  add(series: Series, opened: Promise<void>): void {
    opened.catch(() => {}); // `settled` throws it
    this.#opening.set(series, opened);
  }

  /** Resolves when all have their files, or none; `undefined` if there are none to wait for. */
  settled(): Promise<void> | undefined {
    if (this.#opening.size === 0) return undefined;
    return Promise.allSettled([...this.#opening.values()]).then((results) => {
      this.#opening.clear();
      for (const result of results) if (result.status === "rejected") throw result.reason;
    });
  }
}

/** Whether a message announces a recording: that of another one may come before its file is there. */
export function beginsRecording(msg: LogMsg): boolean {
  return msg.kind === "SetStoreInfo" && msg.info.storeId.kind === "Recording";
}
