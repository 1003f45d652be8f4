import type { Client } from "./client.ts";
import { TooManyClients, UnfinishedPacketsLimit } from "../base/errors.ts";

/** How many clients there may be, and what they may hold. */
export interface ClientLimits {
  readonly maxClients: number;
  readonly maxHandshakes: number;
  readonly maxUnfinishedBytes: number;
}

/** In how many calls all deadlines are looked at. */
const PARTS = 10;

/** Clients in their handshake that one call ends: it takes some 20 ms, in which all others wait. */
const MAX_ENDED = 750;

/** The connected clients of a server, in the order they came, kept within limits. */
export class ClientList implements Iterable<Client> {
  readonly #limits: ClientLimits;
  /** With the end of each one's run. */
  readonly #clients = new Map<Client, Promise<void>>();
  /** Whose deadline is looked at next. */
  #next = this.#clients.keys();
  /** Those in their handshake, the oldest first. */
  readonly #strangers = new Set<Client>();

  /** Memory of their unfinished packets in bytes, as each was counted last. */
  #unfinished = 0;

  /** @param limits for all clients together */
  constructor(limits: ClientLimits) {
    this.#limits = limits;
  }

  /** Connections that are open. */
  get size(): number {
    return this.#clients.size;
  }

  [Symbol.iterator](): Iterator<Client> {
    return this.#clients.keys();
  }

  /** Resolves when all clients that are here have left. */
  async left(): Promise<void> {
    await Promise.all(this.#clients.values());
  }

  /**
   * Takes in a client and lets it run; where too many have not said hello yet, the oldest of them goes.
   *
   * @param client who came
   * @param onLeft called when it has left
   */
  add(client: Client, onLeft: () => void): void {
    this.#strangers.add(client);
    const { maxHandshakes } = this.#limits;
    if (this.#strangers.size > maxHandshakes) {
      const [oldest] = this.#strangers;
      oldest!.close(new TooManyClients(maxHandshakes, "maxHandshakes"));
      this.#strangers.delete(oldest!);
    }
    const run = client.run().finally(() => {
      this.#clients.delete(client);
      this.#strangers.delete(client);
      onLeft();
    });
    this.#clients.set(client, run);
  }

  /** A client has said hello: it may stay if there is room. */
  greeted(client: Client): void {
    this.#strangers.delete(client);
    const { maxClients } = this.#limits;
    if (this.#clients.size - this.#strangers.size > maxClients) {
      client.close(new TooManyClients(maxClients, "maxClients"));
    }
  }

  /**
   * Ends those that keep us waiting for too long; to be called often, for no call takes long: it looks
   * at a part of all, and at those in their handshake from the oldest to the first that may stay.
   */
  checkDeadlines(): void {
    let ended = 0;
    for (const client of this.#strangers) {
      if (!client.checkDeadlines() || ++ended === MAX_ENDED) break;
    }
    for (let i = 0; i < this.size / PARTS; i++) {
      const { value } = this.#next.next();
      // After the last the first is next again.
      if (value === undefined) return void (this.#next = this.#clients.keys());
      value.checkDeadlines();
    }
  }

  /**
   * Takes note that a client's unfinished packet takes more memory, or less; where all together take
   * too much, the clients go whose packets are the oldest, and nobody waits for another.
   *
   * @param bytes more than before
   */
  unfinished(bytes: number): void {
    this.#unfinished += bytes;
    const { maxUnfinishedBytes } = this.#limits;
    if (bytes <= 0 || this.#unfinished <= maxUnfinishedBytes) return;
    const holders = Array.from(this.#clients.keys()).filter((client) => client.unfinishedBytes > 0);
    holders.sort((a, b) => a.unfinishedSince - b.unfinishedSince);
    // What was counted may be done with by now.
    let excess = holders.reduce((sum, { unfinishedBytes }) => sum + unfinishedBytes, 0) -
      maxUnfinishedBytes;
    for (const client of holders) {
      if (excess <= 0) return;
      excess -= client.unfinishedBytes;
      client.evict(new UnfinishedPacketsLimit(maxUnfinishedBytes));
    }
  }
}
