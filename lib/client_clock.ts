import type { PacketReader } from "./comms/packet_reader.ts";
import type { Waiting } from "./comms/patience.ts";

/** Measures how long a client keeps us waiting, at each place of its stream. */
export class ClientClock {
  readonly #packets: PacketReader;
  readonly #now: () => number;
  /** Since when bytes are asked for; `undefined` while none are. */
  #askedAt: number | undefined;
  /** At the place where the client stood when it was last looked at. */
  #waitedMs = 0;
  #place = "";
  /** When it was first seen there. */
  #since = 0;

  /**
   * @param packets where the client stands
   * @param now milliseconds
   */
  constructor(packets: PacketReader, now: () => number) {
    this.#packets = packets;
    this.#now = now;
  }

  /** Bytes are asked for. */
  ask(): void {
    this.#settle();
    this.#askedAt = this.#now();
  }

  /** They came. */
  answer(): void {
    this.#waitedMs += this.silentMs;
    this.#askedAt = undefined;
  }

  /** For how long bytes have been asked for in vain, in milliseconds; 0 while the client must wait for us. */
  get silentMs(): number {
    return this.#askedAt === undefined ? 0 : this.#now() - this.#askedAt;
  }

  /** When the client came where it stands, in milliseconds: the age of its unfinished packet. */
  get since(): number {
    this.#settle();
    return this.#since;
  }

  /** Where the client stands, and how long it has kept us waiting there. */
  get waiting(): Waiting {
    this.#settle();
    const { silentMs } = this;
    return { ...this.#packets.place, waitedMs: this.#waitedMs + silentMs, silentMs };
  }

  /** What was waited for a packet that is whole by now does not count for the next. */
  #settle(): void {
    const { where } = this.#packets.place;
    const place = `${where} ${this.#packets.packets}`;
    if (place === this.#place) return;
    this.#place = place;
    this.#since = this.#now();
    this.#waitedMs = 0;
  }
}
