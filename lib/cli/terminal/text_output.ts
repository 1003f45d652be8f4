/**
 * Standard output and standard error, which may fail at any time: their reader leaves, or they are
 * files on a full disk.
 *
 * @module
 */
import { writeSync } from "node:fs";

/** What is used of a stream. */
export interface TextStream {
  /** Its descriptor. */
  readonly fd: number;
  write(text: string, done: (error?: Error | null) => void): unknown;
  on(event: "error", listener: (error: Error) => void): unknown;
}

/** Writes text to a stream, and notes what goes wrong instead of throwing it. */
export class TextOutput {
  /** The first error. */
  failure: unknown;

  readonly #stream: TextStream;
  #pending = 0;
  #idle: PromiseWithResolvers<void> | undefined;
  /** Whether the stream threw: Deno's are stuck then, and would keep all that follows. */
  #isStuck = false;

  /** @param stream of the process */
  constructor(stream: TextStream) {
    this.#stream = stream;
    stream.on("error", (error) => this.failure ??= error);
  }

  /** Writes; never throws. */
  write(text: string): void {
    if (this.#isStuck) return this.#writeNow(text);
    this.#pending++;
    try {
      this.#stream.write(text, (error) => this.#done(error));
    } catch (error) {
      this.#isStuck = true;
      this.#done(error);
    }
  }

  /** Resolves when all was handed to the system, or failed. */
  async idle(): Promise<void> {
    if (this.#pending > 0) await (this.#idle ??= Promise.withResolvers()).promise;
  }

  #writeNow(text: string): void {
    try {
      writeSync(this.#stream.fd, text);
    } catch (error) {
      this.failure ??= error;
    }
  }

  #done(error: unknown): void {
    this.failure ??= error ?? undefined;
    if (--this.#pending === 0) this.#idle?.resolve();
  }
}
