import type { Log } from "../base/log.ts";
import { plural } from "../base/plural.ts";

/**
 * If messages have waited for so long, in milliseconds, and nobody ever took one, the program has
 * forgotten to receive.
 */
const UNRECEIVED_MS = 5000;

/** How much waits in a channel. */
export interface Receivable {
  /** How many messages wait. */
  readonly length: number;
  /** How many bytes these keep alive. */
  readonly bytes: number;
}

/** Warns, once, when nobody receives: a program that forgets to would only see clients that hang. */
export class ReceiveWatch {
  readonly #channel: Receivable;
  readonly #wasTaken: () => boolean;
  readonly #log: Log;
  #since: number | undefined;
  #isOver = false;

  /**
   * @param channel where messages wait
   * @param wasTaken tells whether anybody ever received
   * @param log where it is said
   */
  constructor(channel: Receivable, wasTaken: () => boolean, log: Log) {
    this.#channel = channel;
    this.#wasTaken = wasTaken;
    this.#log = log;
  }

  /** Looks again, every now and then. */
  look(now: number): void {
    if (this.#isOver || this.#channel.length === 0) return;
    this.#isOver = this.#wasTaken();
    this.#since ??= now;
    if (this.#isOver || now - this.#since < UNRECEIVED_MS) return;
    this.#isOver = true;
    const { length, bytes } = this.#channel;
    this.#log.write(
      "warn",
      `Nobody receives: ${plural(length, "message")} (${plural(bytes, "byte")}) waiting for ` +
        `${UNRECEIVED_MS / 1000} s. Iterate the server or its batches(), or pipe its readable`,
      { messages: length, bytes, kind: "nobody receives" },
    );
  }
}
