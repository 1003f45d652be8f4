/**
 * Stops reading while much of what was read waits for room in the channel.
 *
 * @module
 */

/** When so many bytes that were read wait for room, no client is read any more. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

/**
 * A gate that all reads pass: shut while too many bytes wait for room in the channel, until the
 * receiver has taken some.
 */
export class ReadGate {
  #waiting = 0;
  #opened: PromiseWithResolvers<void> | undefined;
  readonly #onChange: (isShut: boolean) => void;

  /**
   * Begins open.
   *
   * @param maxBytes that may wait
   * @param onChange called when it shuts or opens, because some sockets deliver bytes without being
   * asked
   */
  constructor(readonly maxBytes: number, onChange: (isShut: boolean) => void) {
    this.#onChange = onChange;
  }

  /** Whether no client may be read. */
  get isShut(): boolean {
    return this.#opened !== undefined;
  }

  /** Takes note that more bytes wait for room, or fewer. */
  add(bytes: number): void {
    this.#waiting += bytes;
    if (this.#opened === undefined) {
      if (this.#waiting <= this.maxBytes) return;
      this.#opened = Promise.withResolvers();
      this.#onChange(true);
    } else if (this.#waiting <= this.maxBytes / 2) {
      const opened = this.#opened;
      this.#opened = undefined;
      this.#onChange(false);
      opened.resolve();
    }
  }

  /** Gives what to wait for before a read; nothing while the gate is open. */
  opened(): Promise<void> | undefined {
    return this.#opened?.promise;
  }
}

/**
 * How many bytes may wait for room, by the limit for all that is held for clients outside of the
 * channel.
 *
 * @param maxUnfinishedBytes that are held for clients and are not in the channel
 */
export function gateBytes(maxUnfinishedBytes: number): number {
  return Math.min(MAX_WAITING_BYTES, maxUnfinishedBytes / 4);
}
