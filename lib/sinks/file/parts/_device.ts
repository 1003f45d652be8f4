/**
 * A device or pipe that is written to instead of a file.
 *
 * @module
 */
import type { FileAdapter, WritableFile } from "../../../adapters/files/types.ts";

/** Opens a device or pipe, and opens it again after it failed. */
export class Device {
  #isOpening = false;
  #isClosed = false;
  #opened: WritableFile | undefined;

  constructor(readonly path: string, readonly files: FileAdapter) {}

  /** Opens it, however long that takes. */
  open(): Promise<WritableFile> {
    return this.files.create(this.path, "replace");
  }

  /**
   * Gives it opened again after a failure, without waiting: a pipe opens only once somebody reads
   * it.
   *
   * @throws if it has not opened since the last time
   */
  reopen(): WritableFile {
    const file = this.#opened;
    this.#opened = undefined;
    if (file !== undefined) return file;
    if (!this.#isOpening) void this.#openBeside();
    throw new Error(`${this.path} did not open yet: a pipe does once somebody reads it`);
  }

  /** Closes one that was opened and is not needed. */
  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#opened?.close();
  }

  async #openBeside(): Promise<void> {
    this.#isOpening = true;
    try {
      const file = await this.open();
      if (this.#isClosed) await file.close();
      else this.#opened = file;
    } catch {
      // The next try may succeed.
    } finally {
      this.#isOpening = false;
    }
  }
}
