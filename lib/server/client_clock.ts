import type { Clock } from "../base/clock.ts";
import { credit, type PatienceOptions, type Waiting } from "../comms/sdk/patience.ts";

/** Where a client stands in what it sends. */
export interface ClientPlace {
  /** Packets that are done with; messages, for a call. */
  readonly packets: number;
  /** Where the next byte belongs, and how many came there already. */
  readonly place: Pick<Waiting, "where" | "bytes">;
}

/** Deadlines, and a clock in milliseconds. */
export type ClientClockOptions = Required<PatienceOptions> & { readonly now: Clock["now"] };

/** Measures how long a client keeps us waiting, at each place of its stream. */
export class ClientClock {
  readonly #packets: ClientPlace;
  readonly #options: ClientClockOptions;
  /** Since when bytes are asked for; `undefined` while none are. */
  #askedAt: number | undefined;
  #isHeld = false;
  /** At the place where the client stood when it was last looked at. */
  #waitedMs = 0;
  #creditMs = 0;
  #where = "";
  #packet = 0;
  /** When it was first seen there. */
  #since = 0;

  /**
   * @param packets where the client stands
   * @param options deadlines, and the clock
   */
  constructor(packets: ClientPlace, options: ClientClockOptions) {
    this.#packets = packets;
    this.#options = options;
  }

  /** Bytes are asked for. */
  ask(): void {
    this.#moveOn();
    this.#askedAt = this.#options.now();
  }

  /** So many came. */
  answer(bytes: number): void {
    const { silentMs } = this;
    this.#waitedMs += silentMs;
    this.#creditMs = credit(bytes, this.#options, this.#creditMs - silentMs);
    this.#askedAt = undefined;
  }

  /**
   * What is asked for is held back by us, or comes again: meanwhile the client does not keep us waiting.
   *
   * @param isHeld whether it is held back from now on
   */
  hold(isHeld: boolean): void {
    if (isHeld === this.#isHeld) return;
    const { silentMs } = this;
    this.#waitedMs += silentMs;
    this.#creditMs -= silentMs;
    this.#isHeld = isHeld;
    if (this.#askedAt !== undefined) this.#askedAt = this.#options.now();
  }

  /** Whether bytes are asked for. */
  get isAsking(): boolean {
    return this.#askedAt !== undefined;
  }

  /** For how long bytes have been asked for in vain, in milliseconds; 0 while the client must wait for us. */
  get silentMs(): number {
    return this.#askedAt === undefined || this.#isHeld ? 0 : this.#options.now() - this.#askedAt;
  }

  /** When the client came where it stands, in milliseconds: the age of its unfinished packet. */
  get since(): number {
    this.#moveOn();
    return this.#since;
  }

  /** Where the client stands, and how long it has kept us waiting there. */
  get waiting(): Waiting {
    this.#moveOn();
    const { silentMs } = this;
    const { where, bytes } = this.#packets.place;
    const waitedMs = this.#waitedMs + silentMs;
    return { where, bytes, waitedMs, silentMs, creditMs: this.#creditMs - silentMs };
  }

  /** What was waited for a packet that is whole by now does not count for the next. */
  #moveOn(): void {
    const { packets, place: { where, bytes } } = this.#packets;
    if (packets === this.#packet && where === this.#where) return;
    this.#packet = packets;
    this.#where = where;
    this.#since = this.#options.now();
    this.#waitedMs = 0;
    this.#creditMs = credit(bytes, this.#options);
  }
}
