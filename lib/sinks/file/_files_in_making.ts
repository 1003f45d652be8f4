/**
 * Files that are made side by side: hundreds of recordings may be announced at once, or need their next
 * file at once, and each file waits for the disk before it is made.
 *
 * @module
 */
import type { LogMsg } from "../../encoding/log_msg.ts";
import { storeOf } from "../../encoding/store_of.ts";
import type { OpenSeries } from "./_open_series.ts";
import type { Series } from "./_series.ts";

/** Bytes of messages that are copied, so that whoever writes need not wait. */
const MAX_BYTES = 4 * 1024 * 1024;

/** How many files are made side by side; who begins more waits until these are there. */
const MAX_MAKING = 256;

/** The series whose first or next file is being made. */
export class FilesInMaking {
  readonly #making = new Map<Series, Promise<void>>();
  readonly #open: Pick<OpenSeries, "hasRoomFor">;
  readonly #onMade: () => void;
  #bytes = 0;
  #isAwaited = false;

  /**
   * @param open those that have a file
   * @param onMade called when all have their files, or none
   */
  constructor(open: Pick<OpenSeries, "hasRoomFor">, onMade: () => void) {
    this.#open = open;
    this.#onMade = onMade;
  }

  /** Whether no file is being made. */
  get isEmpty(): boolean {
    return this.#making.size === 0;
  }

  /** Whether the file of a series is being made. */
  has(series: Series | undefined): boolean {
    return series !== undefined && this.#making.has(series);
  }

  /**
   * Whether the file of one more series may be made beside these.
   *
   * @param series whose it is
   * @param copiedBytes of the message that is copied for it
   */
  allow(series: Series, copiedBytes: number): boolean {
    const { size } = this.#making;
    if (size >= MAX_MAKING || this.#bytes + copiedBytes > MAX_BYTES) return false;
    return !this.#making.has(series) && this.#open.hasRoomFor(size + 1);
  }

  /**
   * Adds a series that these allow.
   *
   * @param series whose file is made
   * @param made resolves when its message is in its file, and never rejects
   * @param copiedBytes of that message
   * @param isAwaited whether it must stay as it is until then
   */
  add(series: Series, made: Promise<void>, copiedBytes: number, isAwaited: boolean): void {
    this.#bytes += copiedBytes;
    this.#isAwaited ||= isAwaited;
    const done = made.then(() => {
      this.#bytes -= copiedBytes;
      this.#making.delete(series);
      if (this.#making.size === 0) this.#onMade();
    });
    this.#making.set(series, done);
  }

  /** Resolves when all have their files, or none; `undefined` if there are none to wait for. */
  made(): Promise<void> | undefined {
    if (this.#making.size === 0) return undefined;
    return Promise.all(this.#making.values()).then(() => {});
  }

  /** As {@linkcode FilesInMaking.made}, and `undefined` also if no message waits that must stay as it is. */
  awaited(): Promise<void> | undefined {
    if (!this.#isAwaited) return undefined;
    this.#isAwaited = false;
    return this.made();
  }
}

/** Whether a message is of a recording: files of other recordings may be made meanwhile. */
export function isOfRecording(msg: LogMsg): boolean {
  return storeOf(msg)?.kind === "Recording";
}
