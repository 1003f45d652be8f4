/**
 * Files that are made side by side: hundreds of recordings may be announced at once, and each file
 * waits for the disk before it is made.
 *
 * @module
 */
import type { LogMsg } from "../../encoding/log_msg.ts";
import type { Kept } from "../../stores/kept.ts";
import type { OpenSeries } from "./_open_series.ts";
import type { Series } from "./_series.ts";

/** Announcements up to this length are copied, so that whoever writes need not wait, in bytes. */
const MAX_BYTES = 4096;

/** How many files are made side by side; who announces more waits until these are there. */
const MAX_OPENINGS = 256;

/** The series of recordings that were just announced, while their files are being made. */
export class Openings {
  readonly #opening = new Map<Series, Promise<void>>();
  readonly #open: Pick<OpenSeries, "hasRoomFor">;
  readonly #onOpened: () => void;
  readonly #errors: unknown[] = [];

  /**
   * @param open those that have a file
   * @param onOpened called when all have their files, or none
   */
  constructor(open: Pick<OpenSeries, "hasRoomFor">, onOpened: () => void) {
    this.#open = open;
    this.#onOpened = onOpened;
  }

  /**
   * Whether a series may take a message while these files are being made: none of them is its own, and
   * one more may be made.
   */
  allow(series: Series): boolean {
    const { size } = this.#opening;
    if (size === 0) return true;
    return size < MAX_OPENINGS && !this.#opening.has(series) && this.#open.hasRoomFor(size + 1);
  }

  /** Adds a series that these allow, and what resolves when its announcement is in its file. */
  add(series: Series, opened: Promise<void>): void {
    const settled = opened.catch((error) => void this.#errors.push(error)).then(() => {
      this.#opening.delete(series);
      if (this.#opening.size === 0) this.#onOpened();
    });
    this.#opening.set(series, settled);
  }

  /**
   * Resolves when all have their files, or none; `undefined` if there are none to wait for.
   *
   * @throws what went wrong with one of them, once
   */
  settled(): Promise<void> | undefined {
    if (this.#opening.size === 0 && this.#errors.length === 0) return undefined;
    return Promise.all([...this.#opening.values()]).then(() => {
      for (const error of this.#errors.splice(0)) throw error;
    });
  }
}

/** Whether a message announces a recording: that of another one may come before its file is there. */
export function beginsRecording(msg: LogMsg): boolean {
  return msg.kind === "SetStoreInfo" && msg.info.storeId.kind === "Recording";
}

/**
 * A copy of a message that announces a recording, which then need not stay as it is until its file is
 * there; `undefined` if it is another message, or too long.
 */
export function copyOfAnnouncement(msg: LogMsg): Kept | undefined {
  const { header, bytes } = msg.encoded;
  if (!beginsRecording(msg) || bytes.length > MAX_BYTES) return undefined;
  return { header, bytes: bytes.slice() };
}
