import type { Clock } from "../base/clock.ts";
import { credit, type PatienceOptions, type Waiting } from "../comms/sdk/patience.ts";

/** Where a client stands in what it sends. */
export interface ClientPlace {
  /** Packets that were completed; of a gRPC call, messages. */
  readonly packets: number;
  /** What the next byte is part of, and how many bytes of it have come. */
  readonly place: Pick<Waiting, "where" | "bytes">;
}

/** Deadlines, and the clock that they are measured by, in milliseconds. */
export type ClientClockOptions = Required<PatienceOptions> & { readonly now: Clock["now"] };

/** Measures how long a client keeps us waiting at each place of its stream. */
export class ClientClock {
  readonly #packets: ClientPlace;
  readonly #options: ClientClockOptions;
  /** When we began to wait for bytes; `undefined` while we do not. */
  #askedAt: number | undefined;
  #isHeld = false;
  /** How long we waited at this place before that, in milliseconds. */
  #waitedMs = 0;
  #creditMs = 0;
  #where = "";
  #packet = 0;
  /** When the client was first seen at this place. */
  #since = 0;

  /**
   * @param packets where the client stands
   * @param options deadlines, and the clock
   */
  constructor(packets: ClientPlace, options: ClientClockOptions) {
    this.#packets = packets;
    this.#options = options;
  }

  /** We begin to wait for bytes. */
  ask(): void {
    this.#moveOn();
    this.#askedAt = this.#options.now();
  }

  /** So many bytes came. */
  answer(bytes: number): void {
    const { silentMs } = this;
    this.#waitedMs += silentMs;
    this.#creditMs = credit(bytes, this.#options, this.#creditMs - silentMs);
    this.#askedAt = undefined;
  }

  /**
   * We hold back what we asked for, or let it come again: meanwhile the client does not keep us
   * waiting.
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

  /** Whether we wait for bytes. */
  get isAsking(): boolean {
    return this.#askedAt !== undefined;
  }

  /**
   * How long we have been waiting for bytes, in milliseconds; 0 while the client has to wait for
   * us.
   */
  get silentMs(): number {
    return this.#askedAt === undefined || this.#isHeld ? 0 : this.#options.now() - this.#askedAt;
  }

  /**
   * When the client came to this place, in milliseconds: since then its unfinished packet is under
   * way.
   */
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

  /**
   * Begins anew when the client has come to another place: the wait for one packet does not count
   * for the next.
   */
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
