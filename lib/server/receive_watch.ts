import type { Log } from "../base/log.ts";

/** Messages that wait so long with nobody to take them were forgotten, in milliseconds. */
const UNRECEIVED_MS = 5000;

/** What waits, and whether anybody ever took something. */
export interface Receivable {
  /** Messages that wait. */
  readonly length: number;
  /** Bytes that these keep alive. */
  readonly bytes: number;
}

/** Who forgets to receive sees clients that hang, and nothing else: it is said, once. */
export class ReceiveWatch {
  readonly #channel: Receivable;
  readonly #wasTaken: () => boolean;
  readonly #log: Log;
  #since: number | undefined;
  #isOver = false;

  /**
   * @param channel where messages wait
   * @param wasTaken whether anybody ever received
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
      `Nobody receives: ${length} messages (${bytes} bytes) have waited for ` +
        `${UNRECEIVED_MS / 1000} s. Iterate the server or its batches(), or pipe its readable`,
      { messages: length, bytes, kind: "nobody receives" },
    );
  }
}
