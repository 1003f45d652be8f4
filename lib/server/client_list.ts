import type { Clock } from "../base/clock.ts";
import type { ListedClient } from "./listed_client.ts";
import { TooManyClients, UnfinishedPacketsLimit } from "../base/errors.ts";

/** How many clients there may be, and what they may hold. */
export interface ClientLimits {
  readonly maxClients: number;
  readonly maxHandshakes: number;
  readonly maxUnfinishedBytes: number;
  /** How long a connection may wait for a place, in seconds. */
  readonly handshakeTimeoutSec: number;
  /** Monotonic clock in milliseconds. */
  readonly now: Clock["now"];
}

/** In how many calls all deadlines are looked at. */
const PARTS = 10;

/** Clients in their handshake that one call ends: it takes some 20 ms, in which all others wait. */
const MAX_ENDED = 750;

/** What was read of clients that wait for a place: above it those that come are not even read once. */
const MAX_HELD_BYTES = 16 * 1024 * 1024;

/** How many of those are read at once when less is held. */
const READ_AT_ONCE = 16;

/** A client that waits, and how it is let go on. */
interface Waiting {
  /** When it came, in milliseconds. */
  readonly since: number;
  readonly go: () => void;
  /** What was read of it. */
  heldBytes: number;
}

/**
 * The connected clients of a server, in the order they came, kept within limits.
 *
 * Where all places are taken a client is read once, so that it is known to be an SDK, and waits for a
 * place, first come first served.
 */
export class ClientList implements Iterable<ListedClient> {
  readonly #limits: ClientLimits;
  /** With the end of each one's run. */
  readonly #clients = new Map<ListedClient, Promise<void>>();
  /** Whose deadline is looked at next. */
  #next = this.#clients.keys();
  /** Those in their handshake, the oldest first, and when each came in milliseconds. */
  readonly #strangers = new Map<ListedClient, number>();
  /** Those that have said hello and wait for a place. */
  readonly #waiting = new Map<ListedClient, Waiting>();
  /** Connections that carry clients, and are none themselves. */
  readonly #carriers = new Set<ListedClient>();
  /** Of those that carried some, the ones that carry none now; the longest idle first. */
  readonly #idle = new Set<ListedClient>();
  /** Strangers that were not read yet. */
  readonly #unread = new Map<ListedClient, Waiting>();
  #heldBytes = 0;
  /** What is held for all of them outside of the channel in bytes, as it was counted last. */
  #unfinished = 0;

  /** @param limits for all clients together */
  constructor(limits: ClientLimits) {
    this.#limits = limits;
  }

  /** Clients that are here, and connections that are none yet. */
  get size(): number {
    return this.#clients.size - this.#carriers.size - this.#idle.size;
  }

  /** Whether one more client would have a place. */
  get hasPlace(): boolean {
    return this.#placed < this.#limits.maxClients;
  }

  /** How many have sent something in so many milliseconds, or wait for us to read it. */
  sending(ms: number): number {
    let count = 0;
    for (const { silentMs } of this.#clients.keys()) if (silentMs < ms) count++;
    return count;
  }

  /** Tells all of them that the server closes. */
  drain(): void {
    for (const client of this.#clients.keys()) client.drain?.();
  }

  /**
   * Looks at what clients had sent before `drain`, and closes those that go on sending.
   *
   * @param gapMs where nothing came for so many milliseconds there is no more
   * @returns how many are still to be read on, and how many were closed
   */
  lookAtBacklog(gapMs: number): { readonly some: number; readonly closed: number } {
    let [some, closed] = [0, 0];
    for (const client of this.#clients.keys()) {
      const backlog = client.backlog?.(gapMs) ?? "none";
      if (backlog === "some") some++;
      if (backlog !== "endless") continue;
      closed++;
      client.close();
    }
    return { some, closed };
  }

  /** Bytes that are held for clients outside of the channel. */
  get unfinishedBytes(): number {
    return this.#unfinished;
  }

  [Symbol.iterator](): Iterator<ListedClient> {
    return this.#clients.keys();
  }

  /** Resolves when all clients that are here have left; connections that carried some may stay. */
  async left(): Promise<void> {
    const clients = [...this.#clients].filter(([client]) => client.stats !== undefined);
    await Promise.all(clients.map(([, left]) => left));
  }

  /** Closes all of them; what was read of those that wait for a place is still received. */
  close(): void {
    for (const client of this.#clients.keys()) client.close();
    for (const { go } of [...this.#waiting.values(), ...this.#unread.values()]) go();
  }

  /**
   * Takes in a client and lets it run; where too many have not said hello yet, the oldest of them goes.
   *
   * @param client who came
   * @param onLeft called when it has left, with who had its connection last
   */
  add(client: ListedClient, onLeft: (last: ListedClient) => void): void {
    const { maxHandshakes, now } = this.#limits;
    const since = now();
    this.#strangers.set(client, since);
    if (this.#handshakes > maxHandshakes) this.#endOldest();
    // A call says hello at once.
    this.#clients.set(client, Promise.resolve());
    const run = this.#mayBeRead ? client.run() : this.#whenRead(client, since);
    this.#follow(client, run, onLeft);
  }

  #follow(
    client: ListedClient,
    run: Promise<ListedClient | void>,
    onLeft: (last: ListedClient) => void,
  ): void {
    const left = run.then((heir) => {
      this.#clients.delete(client);
      this.#carriers.delete(client);
      this.#idle.delete(client);
      const since = this.#strangers.get(client);
      this.#strangers.delete(client);
      if (heir === undefined) {
        onLeft(client);
        return this.#givePlaces();
      }
      if (since !== undefined) this.#strangers.set(heir, since);
      // Its first bytes may bring calls, which are counted beside it.
      this.#clients.set(heir, Promise.resolve());
      this.#follow(heir, heir.run(), onLeft);
    });
    this.#clients.set(client, left);
  }

  /** It carries others that are clients, so that it counts as none from now on. */
  carries(connection: ListedClient): void {
    this.#strangers.delete(connection);
    this.#idle.delete(connection);
    this.#carriers.add(connection);
  }

  /** It carries none any more, or none yet, and counts as those do that have not said hello. */
  rests(connection: ListedClient): void {
    const isKnown = this.#carriers.delete(connection) || this.#strangers.delete(connection);
    if (isKnown) this.#idle.add(connection);
  }

  /**
   * A client has said hello: it may stay, at once or when there is a place for it.
   *
   * @returns resolves when it has a place, or was closed for want of one; nothing where it need not wait
   */
  greeted(client: ListedClient): Promise<void> | undefined {
    const { maxClients, maxHandshakes, now } = this.#limits;
    const since = this.#strangers.get(client) ?? now();
    this.#strangers.delete(client);
    if (this.#placed <= maxClients) return undefined;
    if (this.#waiting.size >= maxHandshakes) return void this.#refuse(client);
    return new Promise((resolve) => {
      const go = () => {
        this.#heldBytes -= this.#waiting.get(client)?.heldBytes ?? 0;
        this.#waiting.delete(client);
        resolve();
      };
      this.#waiting.set(client, { since, go, heldBytes: 0 });
    });
  }

  /** So many bytes were read of a client that waits for a place. */
  holds(client: ListedClient, bytes: number): void {
    const waiting = this.#waiting.get(client);
    if (waiting === undefined) return;
    waiting.heldBytes = bytes;
    this.#heldBytes += bytes;
  }

  /**
   * Ends those that keep us waiting for too long, or that waited too long for a place; to be called
   * often, for no call takes long: it looks at a part of all, and at those without a place from the
   * oldest to the first that may stay.
   */
  checkDeadlines(): void {
    let ended = 0;
    for (const client of this.#strangers.keys()) {
      if (!client.checkDeadlines() || ++ended === MAX_ENDED) break;
    }
    const { handshakeTimeoutSec, now } = this.#limits;
    const tooOld = now() - handshakeTimeoutSec * 1000;
    for (const row of [this.#waiting, this.#unread]) {
      for (const [client, { since, go }] of row) {
        if (since > tooOld || ++ended >= MAX_ENDED) break;
        this.#refuse(client);
        go();
      }
    }
    this.#readNext();
    for (let i = 0; i < this.#clients.size / PARTS; i++) {
      const { value } = this.#next.next();
      // After the last the first is next again.
      if (value === undefined) return void (this.#next = this.#clients.keys());
      value.checkDeadlines();
    }
  }

  /**
   * Takes note that more is held for a client outside of the channel, or less; where it is too much for
   * all together, the clients go whose unfinished packets are the oldest, and nobody waits for another.
   *
   * @param bytes more than before
   */
  unfinished(bytes: number): void {
    this.#unfinished += bytes;
    const { maxUnfinishedBytes } = this.#limits;
    if (bytes <= 0 || this.#unfinished <= maxUnfinishedBytes) return;
    const holders: { client: ListedClient; bytes: number; since: number }[] = [];
    // What was counted may be done with by now.
    let excess = -maxUnfinishedBytes;
    for (const client of this.#clients.keys()) {
      const { unfinishedBytes: bytes, unfinishedSince: since, waitingBytes } = client;
      excess += bytes + waitingBytes;
      if (bytes > 0) holders.push({ client, bytes, since });
    }
    holders.sort((a, b) => a.since < b.since ? -1 : a.since > b.since ? 1 : 0);
    for (const { client, bytes } of holders) {
      if (excess <= 0) return;
      excess -= bytes;
      client.evict(new UnfinishedPacketsLimit(maxUnfinishedBytes));
    }
  }

  // ------------------------------------------------------------------------------------ places

  /** Clients past their handshake that do not wait for a place. */
  get #placed(): number {
    return this.size - this.#strangers.size - this.#waiting.size;
  }

  /** Those that have not said hello, or have no place, or nothing to say. */
  get #handshakes(): number {
    return this.#strangers.size + this.#waiting.size + this.#idle.size;
  }

  get #mayBeRead(): boolean {
    return this.#heldBytes <= MAX_HELD_BYTES && this.#unread.size === 0;
  }

  async #whenRead(client: ListedClient, since: number): Promise<ListedClient | void> {
    await new Promise<void>((resolve) => {
      const go = () => {
        this.#unread.delete(client);
        resolve();
      };
      this.#unread.set(client, { since, go, heldBytes: 0 });
    });
    return await client.run();
  }

  #givePlaces(): void {
    for (const { go } of this.#waiting.values()) {
      if (this.#placed >= this.#limits.maxClients) break;
      go();
    }
    this.#readNext();
  }

  /** A few at a time: how much each has sent is known once it was read. */
  #readNext(): void {
    if (this.#unread.size === 0 || this.#heldBytes > MAX_HELD_BYTES) return;
    let left = READ_AT_ONCE;
    for (const { go } of this.#unread.values()) {
      if (left-- === 0) return;
      go();
    }
  }

  #refuse(client: ListedClient): void {
    client.close(new TooManyClients(this.#limits.maxClients, "maxClients"));
  }

  /** Of the strangers; where all have said hello, none has to go for another. */
  #endOldest(): void {
    const [oldest] = this.#idle.size > 0 ? this.#idle : this.#strangers.keys();
    const { maxHandshakes } = this.#limits;
    oldest!.close(new TooManyClients(maxHandshakes, "maxHandshakes"));
    this.#strangers.delete(oldest!);
    this.#unread.get(oldest!)?.go();
    // It goes when the peer has been told; until then it counts no more.
    if (this.#idle.delete(oldest!)) this.#carriers.add(oldest!);
  }
}
