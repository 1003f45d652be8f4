/**
 * Puts large messages together whose parts come as messages of the stream, between others.
 *
 * @module
 */
import type { BatchHeaders, PartPlace } from "../nats/headers.ts";
import { readHeaders } from "../nats/headers.ts";
import { PartJoiner } from "../nats/part_joiner.ts";
import type { StreamMessage } from "../nats/stream_reader.ts";
import type { NatsProgress, UnderWay } from "./nats_progress.ts";

/** Reads the messages of one subject between two numbers once more. */
export type ReadAgain = (
  subject: string,
  range: readonly [first: number, last: number],
) => AsyncIterable<StreamMessage>;

/** What became of a part. */
export type PartTaken =
  | {
    readonly is: "whole";
    readonly payload: Uint8Array<ArrayBuffer>;
    /** Of the first part. */
    readonly entry: UnderWay;
  }
  | { readonly is: "unfinished" }
  | { readonly is: "refused"; readonly why: string };

/** Limits of large messages. */
export interface PartLimits {
  readonly maxMessageBytes: number;
  readonly maxUnfinishedBytes: number;
}

/**
 * A large message is given up when JetStream has stored nothing more of it for so long, in milliseconds: its
 * box has left meanwhile, and begins with the first part when it is back.
 */
const FORSAKEN_MS = 60 * 60_000;
/** How often they are looked at, in milliseconds of JetStream's time. */
const LOOK_MS = 60_000;

const TOO_MANY = "too many others are not whole, either";

/** A large message that is not whole. */
interface Held {
  /** Of its first part. */
  readonly entry: UnderWay;
  /** When its last part was stored. */
  readonly storedMs: number;
}

/** The large messages that are not whole, and what of the stream's progress waits for them. */
export class NatsParts {
  readonly #joiner: PartJoiner;
  readonly #limits: PartLimits;
  readonly #progress: NatsProgress;
  readonly #onHeld: (more: number) => void;
  readonly #onGivenUp: (subject: string, seq: number, why: string) => void;
  /** By subject. */
  readonly #held = new Map<string, Held>();
  /** When they are looked at next. */
  #lookMs = 0;
  /** The subject of which nothing has to be told, since it begins anew, or its part is refused. */
  #pushed: string | undefined;

  /**
   * @param limits of one message, and of all that are not whole
   * @param progress of the stream
   * @param onHeld called with how many bytes more are held, or fewer
   * @param onGivenUp called with a subject, the number of the first part of its message, and why that is
   * given up, though nothing has replaced it
   */
  constructor(
    limits: PartLimits,
    progress: NatsProgress,
    onHeld: (more: number) => void,
    onGivenUp: (subject: string, seq: number, why: string) => void,
  ) {
    this.#limits = limits;
    this.#progress = progress;
    this.#onHeld = onHeld;
    this.#onGivenUp = onGivenUp;
    this.#joiner = new PartJoiner(
      limits,
      onHeld,
      (subject) => this.#giveUp(subject, subject === this.#pushed ? undefined : TOO_MANY),
    );
  }

  /**
   * Takes a part.
   *
   * @param message of the stream
   * @param headers of it
   * @param readAgain where memory did not suffice for the parts before it
   * @throws what `readAgain` throws; the same part may then come again
   */
  async take(
    message: StreamMessage,
    headers: BatchHeaders & { readonly part: PartPlace },
    readAgain: ReadAgain,
  ): Promise<PartTaken> {
    const { subject, seq, data, storedMs } = message;
    const { part: { index } } = headers;
    this.#pushed = subject;
    const joined = this.#joiner.push(subject, headers, data);
    this.#pushed = undefined;
    if (joined.is === "refused") return joined;
    // The position stays before the first part until all parts are here.
    const entry = this.#held.get(subject)?.entry ?? this.#progress.came(seq);
    if (index > 0) this.#progress.drop(this.#progress.came(seq));
    if (joined.is === "unfinished") {
      this.#held.set(subject, { entry, storedMs });
      return joined;
    }
    if (joined.is === "whole") {
      this.#held.delete(subject);
      return { ...joined, entry };
    }
    const payload = await this.#readAgain(readAgain(subject, [entry.seq, seq]));
    this.#held.delete(subject);
    this.#joiner.drop(subject);
    if (payload !== undefined) return { is: "whole", payload, entry };
    this.#progress.drop(entry);
    return { is: "refused", why: "the parts before it were removed from the stream" };
  }

  /** Gives up those of which nothing has come for long, since they hold the position. */
  look(storedMs: number): void {
    if (storedMs < this.#lookMs) return;
    this.#lookMs = storedMs + LOOK_MS;
    for (const [subject, held] of [...this.#held]) {
      if (storedMs - held.storedMs <= FORSAKEN_MS) continue;
      this.#drop(subject, "its box has sent nothing more of it for an hour");
    }
  }

  /** Gives up the message that was begun longest ago, which holds the position. */
  giveUpOldest(): void {
    const [oldest] = this.#held.keys();
    if (oldest !== undefined) this.#drop(oldest, TOO_MANY);
  }

  /** Forgets all of them: they do not come any more. */
  clear(): void {
    for (const subject of [...this.#held.keys()]) this.#drop(subject);
  }

  /** Holds nothing any more; the position stays where it is, so that the next start goes on before them. */
  close(): void {
    this.#held.clear();
    for (let { oldest } = this.#joiner; oldest !== undefined; { oldest } = this.#joiner) {
      this.#joiner.drop(oldest);
    }
  }

  #drop(subject: string, why?: string): void {
    this.#giveUp(subject, why);
    this.#joiner.drop(subject);
  }

  async #readAgain(
    messages: AsyncIterable<StreamMessage>,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { maxMessageBytes } = this.#limits;
    const joiner = new PartJoiner({ maxMessageBytes, maxUnfinishedBytes: Infinity }, this.#onHeld);
    try {
      for await (const message of messages) {
        const headers = readHeaders((name) => message.header(name));
        if (headers?.part === undefined) continue;
        const { part } = headers;
        const joined = joiner.push(message.subject, { ...headers, part }, message.data);
        if (joined.is === "whole") return joined.payload;
      }
      return undefined;
    } finally {
      const { oldest } = joiner;
      if (oldest !== undefined) joiner.drop(oldest);
    }
  }

  #giveUp(subject: string, why: string | undefined): void {
    const entry = this.#held.get(subject)?.entry;
    this.#held.delete(subject);
    if (entry === undefined) return;
    if (why !== undefined) this.#onGivenUp(subject, entry.seq, why);
    this.#progress.drop(entry);
  }
}
