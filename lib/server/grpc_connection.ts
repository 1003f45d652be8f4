import { HandshakeTimeout, reason } from "../base/errors.ts";
import { formatAddr, type NetAddr } from "../base/net_addr.ts";
import type { TcpConnection } from "../adapters/tcp/types.ts";
import { H2Connection } from "../comms/h2/connection.ts";
import { H2Driver, type H2Socket } from "../comms/h2/drive.ts";
import { ERROR, H2Error, PeerSilent } from "../comms/h2/error_codes.ts";
import type { PendingRequest } from "../comms/grpc/request_message.ts";
import { overdue, type Waiting } from "../comms/sdk/patience.ts";
import type { BufferPool } from "../memory/buffer_pool.ts";
import type { H2Stream } from "../comms/h2/types.ts";
import type { CallPeer } from "./doors.ts";
import { ClientClock, type ClientClockOptions } from "./client_clock.ts";
import { logLeft } from "./client_log.ts";
import type { GrpcClient } from "./grpc_client.ts";
import type { TableReader } from "./grpc_tables.ts";
import type { ListedClient } from "./listed_client.ts";
import type { ReceptionContext } from "./reception.ts";

/** How often PINGs and deadlines are looked at, in milliseconds. */
const TICK_MS = 900;

/** How long a connection without calls may stay, in seconds. */
const IDLE_SEC = 60;

const [MIN_WINDOW, MAX_WINDOW] = [64 * 1024, 2 * 1024 * 1024];

/**
 * Bytes of garbage that a connection leaves behind, that a stream does, and that each byte of
 * frames other than DATA does; estimated.
 */
const GARBAGE = { connection: 64 * 1024, stream: 4 * 1024, perByte: 4 };

/** What {@linkcode GrpcConnection} works with. */
export interface GrpcConnectionOptions {
  /** When the connection came, in milliseconds of the clock of deadlines. */
  readonly since: number;
  /** Bytes that were read of it already. */
  readonly first: Uint8Array;
  readonly context: ReceptionContext;
  /** Where memory for writes comes from. */
  readonly pool: BufferPool | undefined;
  /** How many clients are connected: the more there are, the less each may send ahead. */
  readonly clients: number;
  /** Tells whether there is a place for a call of it. */
  readonly hasPlace: boolean;
  readonly onStream: (stream: H2Stream, connection: GrpcConnection) => void;
  /**
   * Called when the connection carries calls from now on, and when it carries none any more; a
   * request that has not come whole is no call yet.
   */
  readonly onCalls: (connection: GrpcConnection, hasSome: boolean) => void;
}

/**
 * One connection that speaks HTTP/2: it carries calls, and those that write messages are clients.
 */
export class GrpcConnection implements ListedClient, CallPeer {
  declare readonly addr?: NetAddr;
  readonly stats = undefined;
  readonly #connection: TcpConnection;
  readonly #options: GrpcConnectionOptions;
  readonly #h2: H2Connection;
  readonly #driver: H2Driver;
  readonly #closed = Promise.withResolvers<void>();
  readonly #clients = new Set<GrpcClient>();
  /** A call that is over, while a read into its memory may still be under way. */
  #readInto: GrpcClient | undefined;
  /** Requests of one message that have not come whole. */
  readonly #requests = new Map<PendingRequest, RequestClock>();
  readonly #tableReaders = new Set<TableReader>();
  #tickedAt: number;
  #hadCalls: boolean | undefined;
  /** Bytes that are held for it, as counted last, and since when something in it is not whole. */
  #counted = 0;
  #unfinishedSince = 0;
  /** Bytes of garbage that were reported so far. */
  #garbage = 0;
  #isOver = false;
  /** Why we ended the connection, if we did. */
  #verdict: Error | undefined;

  /**
   * @param connection whose first bytes are those of HTTP/2
   * @param options those bytes, and what it works with
   */
  constructor(connection: TcpConnection, options: GrpcConnectionOptions) {
    const { context: { options: { handshakeTimeoutSec, maxUnfinishedBytes }, patience } } = options;
    if (connection.remoteAddr !== undefined) this.addr = connection.remoteAddr;
    this.#connection = connection;
    this.#options = options;
    this.#tickedAt = patience.now();
    const streamWindow = windowFor(options.clients, maxUnfinishedBytes);
    this.#h2 = new H2Connection("server", {
      onStream: (stream) => {
        options.onStream(stream, this);
        this.#note();
      },
      streamWindow,
      initialWindow: options.hasPlace ? streamWindow : 0,
      connectionWindow: 2 * streamWindow,
      // Until its first call it is a connection in its handshake, whose deadline the list of
      // clients keeps.
      headersTimeoutSec: Infinity,
      idleTimeoutSec: Math.max(IDLE_SEC, handshakeTimeoutSec),
      now: patience.now,
    });
    const onHeld = () => this.#look();
    const { pool } = options;
    this.#driver = new H2Driver(this.#socket(), this.#h2, { pool, now: patience.now, onHeld });
  }

  /** How many streams are open. */
  get openStreams(): number {
    return this.#h2.openStreams;
  }

  get silentMs(): number {
    return Infinity;
  }

  /**
   * Bytes that are held for it, besides those held for its clients: what is not whole, what a reader
   * has not taken, and what is being written.
   */
  get unfinishedBytes(): number {
    return this.#heldBytes + this.#driver.writeBytes;
  }

  /** Bytes that are not whole, and those that readers have not taken and that are not being written. */
  get #heldBytes(): number {
    let bytes = (this.#connection.spaceBytes ?? 0) + this.#h2.partialBytes;
    for (const request of this.#requests.keys()) bytes += request.unfinishedBytes;
    for (const reader of this.#tableReaders) bytes += reader.unfinishedBytes;
    return bytes;
  }

  get unfinishedSince(): number {
    // What came just now was not looked at, so it counts as new.
    const { patience } = this.#options.context;
    return this.#unfinishedSince || (this.#driver.writesSince ?? patience.now());
  }

  /** Bytes of the header fields of its calls. */
  get waitingBytes(): number {
    return this.#h2.headerBytes;
  }

  async run(): Promise<void> {
    const error = await this.#driver.run(this.#options.first);
    this.#isOver = true;
    this.#count(0);
    this.#noteGarbage(GARBAGE.connection);
    for (const { call } of this.#clients) call.readsEnded();
    this.#readInto?.call.readsEnded();
    // What is still to be written may take some more ticks.
    await this.#closed.promise;
    const why = this.#verdict ?? error;
    if (why === undefined) return;
    const { log } = this.#options.context.options;
    const isAbuse = this.#verdict !== undefined || why instanceof H2Error ||
      why instanceof PeerSilent;
    if (isAbuse) return logLeft(log, this.#text, why);
    // What calls lost is logged with each call.
    const text = `The connection of ${this.#text} broke: ${reason(why)}`;
    log.write("debug", text, { client: this.#text, kind: "connection broke" });
  }

  holdReading(): void {}

  /** A call has become a client. */
  began(client: GrpcClient): void {
    this.#clients.add(client);
    this.#note(true);
  }

  /** A call that asks with one message has begun. */
  requested(request: PendingRequest): void {
    request.onHeld = () => this.#look();
    this.#requests.set(request, new RequestClock(request, this.#options.context.patience));
  }

  /** A viewer has begun to read tables. */
  readsTables(reader: TableReader, signal: AbortSignal): void {
    reader.onHeld = () => this.#look();
    this.#tableReaders.add(reader);
    signal.addEventListener("abort", () => this.#tableReaders.delete(reader));
  }

  ended(client: GrpcClient): void {
    this.#clients.delete(client);
    if (!client.call.isReadInto) return;
    // There is one read under way at most, so this is all that could be read into.
    this.#readInto?.call.readsEnded();
    this.#readInto = client;
  }

  checkDeadlines(): boolean {
    const { context: { patience, options }, since } = this.#options;
    const now = patience.now();
    this.#look();
    for (const [request, clock] of this.#requests) {
      const error = overdue(clock.waiting, options);
      if (error !== undefined) request.fail(error);
    }
    if (now - this.#tickedAt >= TICK_MS) {
      this.#tickedAt = now;
      this.#driver.tick();
    }
    if (this.#h2.streams > 0 || this.#h2.isClosed) return false;
    const { handshakeTimeoutSec } = options;
    if (now - since < handshakeTimeoutSec * 1000) return false;
    this.close(new HandshakeTimeout(this.#options.first.length, handshakeTimeoutSec));
    return true;
  }

  leave(reason: string): void {
    this.#h2.leave(reason);
  }

  close(why?: Error): void {
    if (why === undefined) return this.leave("the server closes");
    this.#verdict ??= why;
    this.#h2.close(ERROR.ENHANCE_YOUR_CALM, why.message);
  }

  evict(why: Error): void {
    const { size } = this.#requests;
    for (const request of [...this.#requests.keys()]) request.fail(why);
    this.#look();
    // Its clients were closed, and what was held for them is freed.
    if (size > 0 && this.#heldBytes === 0) {
      this.#verdict ??= why;
      return this.leave(why.message);
    }
    this.close(why);
    this.#connection.close();
  }

  /** Ends the connection at once. */
  cut(): void {
    this.#h2.close(ERROR.NO_ERROR, "the server closes");
    this.#connection.close();
    this.#closed.resolve();
  }

  get #text(): string {
    return this.addr === undefined ? "(unknown ip)" : formatAddr(this.addr);
  }

  #note(hasCalls: boolean = this.#h2.openStreams > this.#requests.size): void {
    if (hasCalls === this.#hadCalls) return;
    this.#hadCalls = hasCalls;
    this.#options.onCalls(this, hasCalls);
  }

  /** Takes note of what came of requests, and of what is held for the connection. */
  #look(): void {
    if (this.#isOver) return;
    for (const [request, clock] of this.#requests) {
      if (request.isOver) this.#requests.delete(request);
      else clock.look();
    }
    if (this.#h2.streams > 0) this.#note();
    if (this.#heldBytes === 0) this.#unfinishedSince = 0;
    else if (this.#unfinishedSince === 0) {
      this.#unfinishedSince = this.#options.context.patience.now();
    }
    this.#count(this.unfinishedBytes + this.waitingBytes);
  }

  /** Reports as garbage what came and is not a message. */
  #noteGarbage(more = 0): void {
    const { streams, frameBytes } = this.#h2;
    const garbage = streams * GARBAGE.stream + frameBytes * GARBAGE.perByte;
    this.#options.context.onGarbage(garbage - this.#garbage + more);
    this.#garbage = garbage;
  }

  #count(bytes: number): void {
    const more = bytes - this.#counted;
    this.#counted = bytes;
    if (more !== 0) this.#options.context.onUnfinished(more);
  }

  /** The socket as HTTP/2 sees it; after each read the calls are looked at. */
  #socket(): H2Socket {
    const connection = this.#connection;
    const reader = connection.read === undefined ? connection.readable.getReader() : undefined;
    return {
      readable: connection.readable,
      read: async (into) => {
        for (const client of this.#clients) client.look();
        this.#look();
        this.#noteGarbage();
        return reader === undefined ? await connection.read!(into) : (await reader.read()).value;
      },
      giveBack: (chunk) => connection.giveBack?.(chunk),
      write: (bytes) => connection.write(bytes),
      unsentBytes: async () => await connection.unsentBytes?.(),
      setNoDelay: (noDelay) => connection.setNoDelay(noDelay),
      close: () => {
        connection.close();
        this.#closed.resolve();
      },
    };
  }
}

/**
 * Measures how long a request keeps us waiting: until its message begins, until it is whole, and
 * until the request ends.
 */
class RequestClock {
  readonly #request: PendingRequest;
  readonly #clock: ClientClock;
  #lookedAtBytes = 0;

  constructor(request: PendingRequest, options: ClientClockOptions) {
    this.#request = request;
    this.#clock = new ClientClock({
      packets: 0,
      get place() {
        const bytes = request.partialBytes;
        return { where: bytes === 0 ? "handshake" : "packet", bytes } as const;
      },
    }, options);
    this.#clock.ask();
  }

  /** Where the request stands, and how long it has kept us waiting there. */
  get waiting(): Waiting {
    return this.#clock.waiting;
  }

  /** Looks where the request stands now; to be called whenever something may have come. */
  look(): void {
    const { receivedBytes } = this.#request;
    const came = receivedBytes - this.#lookedAtBytes;
    if (came === 0) return;
    this.#lookedAtBytes = receivedBytes;
    this.#clock.answer(came);
    this.#clock.ask();
  }
}

/** Bytes that a call may send ahead: so few that all clients together stay well within the limit. */
function windowFor(clients: number, maxUnfinishedBytes: number): number {
  const share = Math.floor(maxUnfinishedBytes / 8 / (clients + 1));
  return Math.max(MIN_WINDOW, Math.min(MAX_WINDOW, share));
}
