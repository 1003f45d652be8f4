/**
 * Writes text to standard output or standard error, which may fail at any time (their reader
 * leaves, or they are files on a full disk) or take nothing for a while.
 *
 * @module
 */
import type { OutputWriter } from "./output_writer.ts";

/** Writes texts in order without blocking, and notes errors instead of throwing them. */
export class TextOutput {
  /** The first error. */
  failure: unknown;

  readonly #write: OutputWriter;
  readonly #encoder = new TextEncoder();
  /**
   * Texts that wait; they pile up while nothing is taken, so commands that write much await each
   * write.
   */
  #waiting: string[] = [];
  #writing: Promise<boolean> | undefined;

  /** @param write writes to the stream */
  constructor(write: OutputWriter) {
    this.#write = write;
  }

  /**
   * Writes a text; never throws.
   *
   * @returns resolves when nothing waits any more, to whether the system took all of it
   */
  write(text: string): Promise<boolean> {
    if (text === "" && this.isIdle) return Promise.resolve(true);
    this.#waiting.push(text);
    return this.#writing ??= this.#writeAll();
  }

  /** Whether nothing waits: all was handed to the system, or failed. */
  get isIdle(): boolean {
    return this.#writing === undefined;
  }

  /**
   * Resolves when all was handed to the system or failed, including what is written in reaction to
   * the end of a write.
   */
  async idle(): Promise<void> {
    do {
      await this.#writing;
      await Promise.resolve();
    } while (!this.isIdle);
  }

  async #writeAll(): Promise<boolean> {
    let isWhole = true;
    while (this.#waiting.length > 0) {
      const text = this.#waiting.join("");
      this.#waiting = [];
      try {
        const bytes = this.#encoder.encode(text);
        for (let at = 0; at < bytes.length;) at += await this.#write(bytes.subarray(at));
      } catch (error) {
        // Later texts are tried all the same, for a full disk may have room again.
        this.failure ??= error;
        isWhole = false;
      }
    }
    this.#writing = undefined;
    return isWhole;
  }
}
