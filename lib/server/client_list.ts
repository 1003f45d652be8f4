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

/** Each call of `checkDeadlines` looks at one of so many parts of the list. */
const PARTS = 10;

/**
 * How many clients in their handshake one call ends at most: that takes some 20 ms, in which all
 * others wait.
 */
const MAX_ENDED = 750;

/**
 * While more than this was read of clients that wait for a place, new ones are not even read once.
 */
const MAX_HELD_BYTES = 16 * 1024 * 1024;

/** How many of those unread ones are read at once when less is held again. */
const READ_AT_ONCE = 16;

/** A client that waits, and what lets it go on. */
interface Waiting {
  /** When it came, in milliseconds. */
  readonly since: number;
  readonly go: () => void;
  /** Bytes that were read of it. */
  heldBytes: number;
}

/**
 * The connected clients of a server, in the order they came, kept within limits.
 *
 * When all places are taken, a client is still read once, to see that it is an SDK, and then waits
 * for a place, first come first served.
 */
export class ClientList implements Iterable<ListedClient> {
  readonly #limits: ClientLimits;
  /** Each client with the promise of its `run`. */
  readonly #clients = new Map<ListedClient, Promise<void>>();
  /** Whose deadline is looked at next. */
  #next = this.#clients.keys();
  /** Clients in their handshake with when each came, in milliseconds; the oldest first. */
  readonly #strangers = new Map<ListedClient, number>();
  /** Clients that have finished their handshake and wait for a place. */
  readonly #waiting = new Map<ListedClient, Waiting>();
  /** Connections that carry calls: these are clients, and their connection is none. */
  readonly #carriers = new Set<ListedClient>();
  /** Connections that have carried calls and carry none now; the one idle for longest first. */
  readonly #idle = new Set<ListedClient>();
  /** Clients in their handshake that were not read yet. */
  readonly #unread = new Map<ListedClient, Waiting>();
  #heldBytes = 0;
  /** Bytes that are held for all of them outside of the channel, as counted last. */
  #unfinished = 0;

  /** @param limits for all clients together */
  constructor(limits: ClientLimits) {
    this.#limits = limits;
  }

  /** How many clients there are, with connections that are still in their handshake. */
  get size(): number {
    return this.#clients.size - this.#carriers.size - this.#idle.size;
  }

  /** Whether there is a place for one more client. */
  get hasPlace(): boolean {
    return this.#placed < this.#limits.maxClients;
  }

  /**
   * How many clients have sent something in the last so many milliseconds, or wait until we read
   * it.
   */
  sending(ms: number): number {
    let count = 0;
    for (const { silentMs } of this.#clients.keys()) if (silentMs < ms) count++;
    return count;
  }

  /** Tells all clients that the server closes. */
  drain(): void {
    for (const client of this.#clients.keys()) client.drain?.();
  }

  /**
   * Looks whether what clients had sent before `drain` has been read, and closes those that go on
   * sending.
   *
   * @param gapMs if nothing came for so many milliseconds, nothing more is on its way
   * @returns how many clients have to be read on, and how many were closed
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

  /**
   * Resolves when all clients have left that are here now; connections that carried calls may stay.
   */
  async left(): Promise<void> {
    const clients = [...this.#clients].filter(([client]) => client.stats !== undefined);
    await Promise.all(clients.map(([, left]) => left));
  }

  /** Closes all of them; what was read of those that wait for a place will still be received. */
  close(): void {
    for (const client of this.#clients.keys()) client.close();
    for (const { go } of [...this.#waiting.values(), ...this.#unread.values()]) go();
  }

  /**
   * Takes in a client and lets it run; if too many are in their handshake, the oldest of them is
   * closed.
   *
   * @param client the new client
   * @param onLeft called when it has left, with who had its connection at the end
   */
  add(client: ListedClient, onLeft: (last: ListedClient) => void): void {
    const { maxHandshakes, now } = this.#limits;
    const since = now();
    this.#strangers.set(client, since);
    if (this.#handshakes > maxHandshakes) this.#endOldest();
    // A call has no handshake of its own.
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
      // Its first bytes may begin calls already, which are clients of their own.
      this.#clients.set(heir, Promise.resolve());
      this.#follow(heir, heir.run(), onLeft);
    });
    this.#clients.set(client, left);
  }

  /** A connection carries calls, which are clients; it counts as none itself from now on. */
  carries(connection: ListedClient): void {
    this.#strangers.delete(connection);
    this.#idle.delete(connection);
    this.#carriers.add(connection);
  }

  /** A connection carries no calls any more, or none yet, and counts as one in its handshake. */
  rests(connection: ListedClient): void {
    const isKnown = this.#carriers.delete(connection) || this.#strangers.delete(connection);
    if (isKnown) this.#idle.add(connection);
  }

  /**
   * A client has finished its handshake, and may stay when there is a place for it.
   *
   * @returns resolves when it has a place, or was closed because there was none in time; nothing if
   * it has a place now
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
   * Ends clients that keep us waiting for too long, or that waited too long for a place. To be
   * called often: so that no call takes long, each looks only at a part of the list, and at those
   * without a place from the oldest to the first that may stay.
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
      // After the last client the first one is next again.
      if (value === undefined) return void (this.#next = this.#clients.keys());
      value.checkDeadlines();
    }
  }

  /**
   * Takes note that more or less is held for a client outside of the channel. If it is too much for
   * all clients together, those whose unfinished packets are the oldest are closed at once.
   *
   * @param bytes more than before
   */
  unfinished(bytes: number): void {
    this.#unfinished += bytes;
    const { maxUnfinishedBytes } = this.#limits;
    if (bytes <= 0 || this.#unfinished <= maxUnfinishedBytes) return;
    const holders: { client: ListedClient; bytes: number; since: number }[] = [];
    // Counted anew, for some of what was noted may be freed by now.
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

  /** How many clients have a place. */
  get #placed(): number {
    return this.size - this.#strangers.size - this.#waiting.size;
  }

  /** How many are in their handshake, wait for a place, or are connections without calls. */
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

  /** Lets a few more be read: how much each has sent is known only afterwards. */
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

  /** Ends the oldest client in its handshake; if none is in its handshake, nobody has to leave. */
  #endOldest(): void {
    const [oldest] = this.#idle.size > 0 ? this.#idle : this.#strangers.keys();
    const { maxHandshakes } = this.#limits;
    oldest!.close(new TooManyClients(maxHandshakes, "maxHandshakes"));
    this.#strangers.delete(oldest!);
    this.#unread.get(oldest!)?.go();
    // It ends when its peer has been told; until then it is not counted among the idle ones.
    if (this.#idle.delete(oldest!)) this.#carriers.add(oldest!);
  }
}
