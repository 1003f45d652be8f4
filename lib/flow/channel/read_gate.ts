/**
 * Keeps more from being read while much waits for room in the channel.
 *
 * @module
 */

/** What was read and waits for room: with so many bytes nobody is read any more. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;

/** Shut while too many bytes wait for room in the channel; only what the receiver takes opens it. */
export class ReadGate {
  #waiting = 0;
  #opened: PromiseWithResolvers<void> | undefined;
  readonly #onChange: (isShut: boolean) => void;

  /**
   * Begins open.
   *
   * @param maxBytes that may wait
   * @param onChange called when it shuts or opens: some sockets are read from without being asked
   */
  constructor(readonly maxBytes: number, onChange: (isShut: boolean) => void) {
    this.#onChange = onChange;
  }

  /** Whether nobody is to be read. */
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

  /** What to wait for before a read; nothing while it is open. */
  opened(): Promise<void> | undefined {
    return this.#opened?.promise;
  }
}

/**
 * What may wait for room beside a limit.
 *
 * @param maxUnfinishedBytes that are held for clients and are not in the channel
 */
export function gateBytes(maxUnfinishedBytes: number): number {
  return Math.min(MAX_WAITING_BYTES, maxUnfinishedBytes / 4);
}
