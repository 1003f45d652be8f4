/**
 * A device or pipe in the place of a file.
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
   * Opens it after it failed: a pipe does not open before somebody reads it, and nobody waits for that.
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

  /** Lets go of one that opened and that nobody wanted any more. */
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
      // The next try may do better.
    } finally {
      this.#isOpening = false;
    }
  }
}
