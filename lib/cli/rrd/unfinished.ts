/**
 * Outputs that an interrupted command must not leave behind.
 *
 * @module
 */
import { EXIT } from "../exit_codes.ts";
import type { CliProcess } from "../process.ts";

/** Something that can be abandoned before it is complete. */
export interface Abandonable {
  /** Removes what was written. */
  abandon(): Promise<void>;
}

/**
 * The outputs that are being written; at SIGINT, SIGTERM and SIGHUP they are removed before the
 * process ends.
 */
export class Unfinished {
  readonly #outputs = new Set<Abandonable>();
  readonly #process: CliProcess;
  #isListening = false;

  /** @param process gets the signals */
  constructor(process: CliProcess) {
    this.#process = process;
  }

  /** Adds an output. */
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

  /** Takes an output out. */
  delete(output: Abandonable): void {
    this.#outputs.delete(output);
  }

  /** Abandons all outputs. */
  async abandon(): Promise<void> {
    await Promise.allSettled([...this.#outputs].map((output) => output.abandon()));
  }
}
