/**
 * Outputs that an interrupted command must not leave behind.
 *
 * @module
 */
import { EXIT } from "../exit_codes.ts";
import type { CliProcess } from "../process.ts";

/** What can be left off before it is whole. */
export interface Abandonable {
  /** Leaves nothing behind. */
  abandon(): Promise<void>;
}

/** Those that are being written; SIGINT, SIGTERM and SIGHUP remove them before the process ends. */
export class Unfinished {
  readonly #outputs = new Set<Abandonable>();
  readonly #process: CliProcess;
  #isListening = false;

  /** @param process gets the signals */
  constructor(process: CliProcess) {
    this.#process = process;
  }

  /** Takes care of one more. */
  add(output: Abandonable): void {
    this.#outputs.add(output);
    if (this.#isListening) return;
    this.#isListening = true;
    let isEnding = false;
    this.#process.onStopSignal((signal) => {
      const end = () => this.#process.exitNow(EXIT.signal[signal]);
      if (isEnding) return end();
      isEnding = true;
      this.abandon().then(end, end);
    });
  }

  /** Leaves one be. */
  delete(output: Abandonable): void {
    this.#outputs.delete(output);
  }

  /** Removes all of them. */
  async abandon(): Promise<void> {
    await Promise.allSettled([...this.#outputs].map((output) => output.abandon()));
  }
}
