import type { Client } from "./client.ts";
import { TooManyClients, UnfinishedPacketsLimit } from "../errors.ts";

/** How many clients there may be, and what they may hold. */
export interface ClientLimits {
  readonly maxClients: number;
  readonly maxHandshakes: number;
  readonly maxUnfinishedBytes: number;
}

/** The connected clients of a server, in the order they came, kept within limits. */
export class ClientList implements Iterable<Client> {
  readonly #limits: ClientLimits;
  /** With the end of each one's run. */
  readonly #clients = new Map<Client, Promise<void>>();
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

  /** Ends those that keep us waiting for too long. */
  checkDeadlines(): void {
    for (const client of this.#clients.keys()) client.checkDeadlines();
  }

  /**
   * The same for those in their handshake, from the oldest to the first that may stay: it takes next
   * to no time, so that it can be called often and thousands are not all closed in one moment.
   */
  checkOldest(): void {
    for (const client of this.#strangers) if (!client.checkDeadlines()) return;
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
