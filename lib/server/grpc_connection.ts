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

/** PINGs and deadlines are looked at so often, in milliseconds. */
const TICK_MS = 900;

/** A connection without calls may stay for so long, in seconds. */
const IDLE_SEC = 60;

const [MIN_WINDOW, MAX_WINDOW] = [64 * 1024, 2 * 1024 * 1024];

/** What a connection is made of, a stream, and what each byte of frames but DATA becomes, in bytes, about. */
const GARBAGE = { connection: 64 * 1024, stream: 8 * 1024, perByte: 8 };

/** What a connection works with. */
export interface GrpcConnectionOptions {
  /** When it came, in milliseconds of the clock of deadlines. */
  readonly since: number;
  /** What was read of it. */
  readonly first: Uint8Array;
  readonly context: ReceptionContext;
  /** Where memory for writes comes from. */
  readonly pool: BufferPool | undefined;
  /** Clients that are here: the more, the less each may send ahead. */
  readonly clients: number;
  /** Whether a call of it would have a place. */
  readonly hasPlace: boolean;
  readonly onStream: (stream: H2Stream, connection: GrpcConnection) => void;
  /** Calls of it were taken that are open, or none is any more: a request on its way is none yet. */
  readonly onCalls: (connection: GrpcConnection, hasSome: boolean) => void;
}

/** One connection that speaks HTTP/2: it carries calls, and some of these are clients. */
export class GrpcConnection implements ListedClient, CallPeer {
  declare readonly addr?: NetAddr;
  readonly stats = undefined;
  readonly #connection: TcpConnection;
  readonly #options: GrpcConnectionOptions;
  readonly #h2: H2Connection;
  readonly #driver: H2Driver;
  readonly #closed = Promise.withResolvers<void>();
  readonly #clients = new Set<GrpcClient>();
  /** A call that is over, into whose memory a read may be under way. */
  #readInto: GrpcClient | undefined;
  /** Requests of one message that are on their way. */
  readonly #requests = new Map<PendingRequest, RequestClock>();
  readonly #tableReaders = new Set<TableReader>();
  #tickedAt: number;
  #hadCalls: boolean | undefined;
  /** What is held for it, as it was counted last, and since when something is that is not whole. */
  #counted = 0;
  #unfinishedSince = 0;
  /** What was said to become of what came. */
  #garbage = 0;
  #isOver = false;
  /** Why we ended it. */
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
      // Until then it is a connection in its handshake, of which the list takes care.
      headersTimeoutSec: Infinity,
      idleTimeoutSec: Math.max(IDLE_SEC, handshakeTimeoutSec),
      now: patience.now,
    });
    this.#driver = new H2Driver(this.#socket(), this.#h2, {
      pool: options.pool,
      now: patience.now,
    });
  }

  /** Streams that are open. */
  get openStreams(): number {
    return this.#h2.openStreams;
  }

  get silentMs(): number {
    return Infinity;
  }

  /** What is not whole, or not taken by a reader, of all that is held for it but for its clients. */
  get unfinishedBytes(): number {
    let bytes = (this.#connection.spaceBytes ?? 0) + this.#h2.partialBytes;
    for (const request of this.#requests.keys()) bytes += request.unfinishedBytes;
    for (const reader of this.#tableReaders) bytes += reader.unfinishedBytes;
    return bytes;
  }

  get unfinishedSince(): number {
    // What came just now was not looked at.
    return this.#unfinishedSince || this.#options.context.patience.now();
  }

  /** The header fields of its calls. */
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
    // What is still to be written may take until the next ticks.
    await this.#closed.promise;
    const { log } = this.#options.context.options;
    const why = this.#verdict ?? error;
    if (why === undefined) return;
    const isAbuse = this.#verdict !== undefined || why instanceof H2Error ||
      why instanceof PeerSilent;
    if (isAbuse) return logLeft(log, this.#text, why);
    // What was lost of calls is told with them.
    const text = `The connection of ${this.#text} broke: ${reason(why)}`;
    log.write("debug", text, { client: this.#text, kind: "connection broke" });
  }

  holdReading(): void {}

  /** A call is a client now. */
  began(client: GrpcClient): void {
    this.#clients.add(client);
    this.#note(true);
  }

  /** A call of one message began. */
  requested(request: PendingRequest): void {
    request.onHeld = () => this.#look();
    this.#requests.set(request, new RequestClock(request, this.#options.context.patience));
  }

  /** A viewer reads tables. */
  readsTables(reader: TableReader, signal: AbortSignal): void {
    reader.onHeld = () => this.#look();
    this.#tableReaders.add(reader);
    signal.addEventListener("abort", () => this.#tableReaders.delete(reader));
  }

  ended(client: GrpcClient): void {
    this.#clients.delete(client);
    if (!client.call.isReadInto) return;
    // Only one read is ever under way.
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
    // They were told, and what was held for them is free.
    if (size > 0 && this.unfinishedBytes === 0) {
      this.#verdict ??= why;
      return this.leave(why.message);
    }
    this.close(why);
    this.#connection.close();
  }

  /** Ends it whatever it does. */
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

  /** Takes note of what came of requests, and of what is held. */
  #look(): void {
    if (this.#isOver) return;
    for (const [request, clock] of this.#requests) {
      if (request.isOver) this.#requests.delete(request);
      else clock.look();
    }
    if (this.#h2.streams > 0) this.#note();
    const { unfinishedBytes } = this;
    if (unfinishedBytes === 0) this.#unfinishedSince = 0;
    else if (this.#unfinishedSince === 0) {
      this.#unfinishedSince = this.#options.context.patience.now();
    }
    this.#count(unfinishedBytes + this.waitingBytes);
  }

  /** Takes note of what came that was no message: all of it is dead soon. */
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

  /** Looks at the calls between reads, when it is known what came. */
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
      setNoDelay: (noDelay) => connection.setNoDelay(noDelay),
      close: () => {
        connection.close();
        this.#closed.resolve();
      },
    };
  }
}

/** How long a request keeps us waiting: until it begins, in the midst of it, and until it ends. */
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

  /** Where it stands. */
  get waiting(): Waiting {
    return this.#clock.waiting;
  }

  /** To be called whenever something may have come. */
  look(): void {
    const { receivedBytes } = this.#request;
    const came = receivedBytes - this.#lookedAtBytes;
    if (came === 0) return;
    this.#lookedAtBytes = receivedBytes;
    this.#clock.answer(came);
    this.#clock.ask();
  }
}

/** What a call may send ahead: all that they can have waiting stays well within the limit for clients. */
function windowFor(clients: number, maxUnfinishedBytes: number): number {
  const share = Math.floor(maxUnfinishedBytes / 8 / (clients + 1));
  return Math.max(MIN_WINDOW, Math.min(MAX_WINDOW, share));
}
