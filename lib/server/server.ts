import { clientClock } from "../base/awake_clock.ts";
import { type AcceptLoop, acceptLoop } from "./accept_loop.ts";
import { checkFeed, closeFeeds, type Feed } from "./feed.ts";
import type { NetAddr } from "../base/net_addr.ts";
import type { TcpAdapter, TcpConnection, TcpListener } from "../adapters/tcp/types.ts";
import { Client, type ClientContext } from "./client.ts";
import { ClientList } from "./client_list.ts";
import { Doorkeeper } from "./doorkeeper.ts";
import type { RerelayError } from "../base/errors.ts";
import { BufferPool } from "../memory/buffer_pool.ts";
import { KnownEnvelopes } from "../encoding/msgpack/known_envelopes.ts";
import { FlowTurns, turnsFor } from "../flow/channel/flow_turns.ts";
import { gateBytes, ReadGate } from "../flow/channel/read_gate.ts";
import { Receiver } from "../flow/channel/receiver.ts";
import { SmartChannel } from "../flow/channel/smart_channel.ts";
import { type SmartMessage, TcpClientSource } from "../flow/channel/smart_message.ts";
import { ReceiveWatch } from "./receive_watch.ts";
import { ServerCounts, type ServerStats } from "./server_stats.ts";
import { drain, lastAccepts, notListening, whenLeft } from "./drain.ts";
import { newVersions } from "./client_log.ts";
import type { ClientStats } from "./client_stats.ts";
import type { Guests } from "./guests.ts";
import { hostingLine, openLine } from "./hosting_line.ts";
import { type LimitedLog, limitedLog } from "../base/limited_log.ts";
import { MemoryPressure } from "../memory/memory_pressure.ts";
import type { CloseOptions, ResolvedOptions, ServeOptions } from "./options.ts";
import { checkedClose, listenOptions } from "./options.ts";

/** How often clients are looked at that may be past their deadline, in milliseconds. */
const CHECK_MS = 50;
/** How often the memory is looked at, and suppressed log lines are summed up, in milliseconds. */
const LOOK_MS = 500;

/**
 * A server that listens to Rerun SDKs; made by `serve`.
 *
 * Iterating it receives message by message, {@linkcode Server.batches} in arrays.
 *
 * @example
 * ```ts
 * import { memoryTcp, Server, silentLog, sourceText } from "@rerelay/server";
 * import { assertEquals } from "@std/assert";
 *
 * const net = memoryTcp(); // `serve` takes the TCP of the runtime instead
 * await using server = await Server.listen(net, { log: silentLog });
 * const sdk = net.connect().writable.getWriter();
 * await sdk.write(Uint8Array.of(1, 0, ...new TextEncoder().encode("rerun")));
 * await sdk.close();
 *
 * for await (const { source, payload } of server) {
 *   if (payload.type === "msg") console.log(sourceText(source), "logs", payload.msg.kind);
 *   else break; // this client left; the server goes on
 * }
 * assertEquals(server.stats.connections.total, 1);
 * ```
 */
export class Server {
  readonly #options: ResolvedOptions;
  readonly #listener: TcpListener;
  readonly #channel: SmartChannel;
  readonly #receiver: Receiver;
  readonly #pressure: MemoryPressure;
  readonly #clients: ClientList;
  readonly #turns: FlowTurns<Client>;
  /** What all clients of this server share. */
  readonly #shared: ClientContext;
  readonly #accepting: AcceptLoop;
  readonly #door: Doorkeeper;
  readonly #log: LimitedLog;
  readonly #stopChecks: () => void;
  readonly #counts = new ServerCounts();
  #closing: Promise<void> | undefined;
  #isShut = false;
  #isDraining = false;
  #isRetired = false;
  #loadingGuests: Promise<Guests> | undefined;
  #guests: Guests | undefined;
  #stopGuests = () => {};
  readonly #feeds: Feed[] = [];
  /** Use `serve` or {@linkcode Server.listen}. */
  private constructor(
    listener: TcpListener,
    options: ResolvedOptions,
    isAllowed: ((hostname: string) => boolean) | undefined,
  ) {
    this.#listener = listener;
    const { channelLimitBytes: limitBytes, now, delay, signal } = options;
    const log = this.#log = limitedLog(options.log, now);
    this.#options = { ...options, log };
    this.#door = new Doorkeeper({ ...options, ...(isAllowed && { isAllowed }) });
    const clock = clientClock(options);
    this.#clients = new ClientList({ ...options, now: clock.now });
    // With a maximum latency clients are not paused: what waits must be measured, so that frames
    // are dropped.
    const pause = options.maxLatencySec === Infinity ? delay : undefined;
    const waits = { delay: pause, maxWaitMs: options.pauseAfterSec * 1000 };
    const pool = options.reuseBuffers ? new BufferPool() : undefined;
    this.#channel = new SmartChannel({ limitBytes, now, ...waits, pool });
    this.#pressure = new MemoryPressure(options.collectGarbage, this.#channel, now, pool);
    this.#receiver = new Receiver(this.#channel, async () => {
      await this.close();
      this.#channel.discard();
    });
    this.#turns = new FlowTurns({ count: turnsFor(limitBytes), delay });
    this.#shared = {
      options: this.#options,
      patience: { ...options, now: clock.now },
      pool,
      envelopes: new KnownEnvelopes(),
      turns: this.#turns,
      gate: new ReadGate(gateBytes(options.maxUnfinishedBytes), (isShut) => {
        for (const client of this.#clients) client.holdReading(isShut);
      }),
      onRead: (bytes) => this.#pressure.read(bytes),
      onGarbage: (bytes) => this.#pressure.garbage(bytes),
      onUnfinished: (more) => this.#clients.unfinished(more),
      onGreeted: (greeted) => this.#clients.greeted(greeted),
      onHeld: (client, bytes) => this.#clients.holds(client, bytes),
      onReceived: (messages, bytes) => this.#counts.received(messages, bytes),
      onBadArrow: (bytes) => this.#counts.badArrow(bytes),
      isNewVersion: newVersions(),
      guests: () => this.#loadGuests(),
    };
    this.#accepting = acceptLoop(listener, {
      ...{ log, delay },
      pace: () => this.#turns.pace(),
      onConnection: (connection) => this.#serve(connection),
    });
    const unreceived = new ReceiveWatch(this.#channel, () => this.#receiver.wasTaken, log);
    let lookedAt = -Infinity;
    this.#stopChecks = options.every(CHECK_MS, () => {
      if (clock.isRested) this.#clients.checkDeadlines();
      this.#pressure.lookAtBurst(this.#clients.size);
      if (now() - lookedAt < LOOK_MS) return;
      lookedAt = now();
      this.#pressure.look(this.#clients.size);
      unreceived.look(now());
      log.flush();
    });
    options.readiness.add("port", () => notListening(this.#isShut, this.#isRetired));
    signal?.addEventListener("abort", () => this.close(), { once: true });
  }

  /**
   * Starts a server on any TCP.
   *
   * @param adapter the runtime's TCP, or one in memory
   * @param options all may be left out
   * @throws {TcpBindError} if the address can't be bound
   * @throws {RangeError | TypeError} if an option is out of its range, or none, or there is no adapter
   */
  static async listen(adapter: TcpAdapter, options: ServeOptions = {}): Promise<Server> {
    const resolved = listenOptions(options, adapter);
    resolved.signal?.throwIfAborted();
    const { hostname, port, quiet, log, allow } = resolved;
    // Loaded only if it is asked for, since few need it.
    const { allowList } = allow.length > 0 ? await import("./allow_list.ts") : {};
    const isAllowed = allowList?.(allow);
    const listener = await adapter.listen({ hostname, port });
    log.write(quiet ? "debug" : "info", hostingLine(listener.addr), { ...listener.addr });
    const open = isAllowed === undefined ? openLine(listener.addr) : undefined;
    if (open !== undefined) log.write("warn", open, { ...listener.addr });
    return new Server(listener, resolved, isAllowed);
  }

  /** Where it listens. */
  get addr(): NetAddr {
    return this.#listener.addr;
  }

  /** Who receives, as Rerun shows it. */
  get source(): string {
    return `TCP server, port ${this.addr.port}`;
  }

  /** How far the receiver is behind, in seconds: the largest of all clients; 0 if nothing waits. */
  get latencySec(): number {
    return this.#channel.latencySec;
  }

  /** Counts up to now. */
  get stats(): ServerStats {
    const clients = [...this.#clients, ...this.#feeds.flatMap(({ clients }) => clients)];
    return this.#counts.stats(clients, {
      open: this.#clients.size,
      queued: { messages: this.#channel.length, bytes: this.#channel.bytes },
      unfinishedBytes: this.#clients.unfinishedBytes,
    });
  }

  /**
   * Receives message by message; `break` leaves the server running.
   *
   * @throws {ReceiverTaken} if another loop is receiving
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<SmartMessage> {
    return this.#receiver[Symbol.asyncIterator]();
  }

  /**
   * Receives in arrays, each of one client; `break` leaves the server running.
   *
   * @throws {ReceiverTaken} if another loop is receiving
   */
  batches(): AsyncIterableIterator<SmartMessage[]> {
    return this.#receiver.batches();
  }

  /** The batches as one stream, which becomes the receiver at its first read; canceling it closes the server. */
  get readable(): ReadableStream<SmartMessage[]> {
    return this.#receiver.readable();
  }

  /** Receives what a feed brings, such as one of `fromNats`, too, until the server is closed. */
  join(feed: Feed): void {
    checkFeed(feed);
    this.#feeds.push(feed);
    const [channel, nextId] = [this.#channel, () => ++this.#counts.connected];
    feed.start({ context: this.#shared, sender: (source) => channel.sender(source), nextId });
  }

  /** Resolves when all that has come from clients so far was received. */
  flush(): Promise<void> {
    return this.#channel.flush();
  }

  /**
   * Stops listening and closes all connections; receiving ends after what had come in.
   *
   * @param options whether to read first what clients are still sending
   */
  close(options: CloseOptions = {}): Promise<void> {
    return this.#closing ??= this.#close(checkedClose(options));
  }

  /**
   * Stops listening, and ends all feeds; resolves when the clients that are connected have left.
   *
   * @param until makes it resolve earlier, while clients are still connected
   */
  async retire(until: AbortSignal): Promise<void> {
    await this.#accepting.quiet(lastAccepts(this.#options.now, until));
    this.#isRetired = true;
    this.#listener.close();
    await closeFeeds(this.#feeds.splice(0), this.#log);
    await whenLeft(this.#clients, until, this.#options.delay, () => this.#guests?.retire());
  }

  /**
   * Closes the server, and then the viewers and browsers that its doors serve.
   *
   * @param graceMs answers that end in so many milliseconds end well; default 0
   */
  async closeDoors(graceMs = 0): Promise<void> {
    await this.close();
    await this.#guests?.close(graceMs);
    this.#stopGuests();
  }

  /** Whether it is closing, and still reads what clients send. */
  get isDraining(): boolean {
    return this.#isDraining;
  }

  /** Closes the server. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.closeDoors();
  }

  async #close({ drainMs = 0, quietMs = 100, backlogMs = 0 }: CloseOptions): Promise<void> {
    const { now, delay, every } = this.#options;
    this.#isDraining = drainMs > 0;
    const end = now() + drainMs + backlogMs;
    // Clients that still wait in the system's queue are connected for all they know, and believe
    // that we have what they sent.
    if (drainMs > 0) await this.#accepting.quiet(() => this.#isRetired || now() >= end);
    this.#isShut = true;
    this.#listener.close();
    this.#guests?.leave();
    this.#clients.drain();
    const what = { clients: this.#clients, received: () => this.#counts.bytes, log: this.#log };
    if (drainMs > 0) await drain({ ...what, now, delay, drainMs, quietMs, end });
    this.#isDraining = false;
    this.#stopChecks();
    this.#clients.close();
    this.#turns.open();
    this.#channel.unpause();
    this.#accepting.wake();
    await closeFeeds(this.#feeds, this.#log);
    await this.#accepting.ended;
    await this.#clients.left();
    await this.#guests?.ended();
    this.#channel.close();
    if (this.#guests?.size) this.#stopGuests = every(LOOK_MS, () => this.#guests?.check());
    this.#log.flush(true);
  }

  #serve(connection: TcpConnection): void {
    if (this.#isShut) return connection.close();
    const { remoteAddr } = connection;
    const refusal = this.#door.enter(remoteAddr);
    if (refusal !== undefined) return this.#refuse(connection, refusal);
    const source = new TcpClientSource(++this.#counts.connected, remoteAddr);
    // A client that sent nothing leaves garbage too.
    this.#pressure.read(0);
    const client = new Client(connection, this.#channel.sender(source), this.#shared);
    this.#clients.add(client, (last) => {
      this.#guests?.left(last);
      this.#door.left(remoteAddr);
      this.#countLeft(client.stats);
      // Its file descriptor is free again.
      this.#accepting.wake();
    });
  }

  /** Loaded with the first connection that speaks HTTP: gRPC and HTTP/2 are a third of the code. */
  #loadGuests(): Promise<Guests> {
    const loading = this.#loadingGuests ??= import("./guests.ts").then(({ Guests }) => {
      this.#guests = new Guests({
        context: this.#shared,
        list: this.#clients,
        doors: this.#options.doors,
        pool: this.#shared.pool,
        channel: this.#channel,
        nextId: () => ++this.#counts.connected,
        onCallLeft: ({ stats }) => this.#countLeft(stats),
      });
      if (this.#isShut) this.#guests.leave();
      else if (this.#isRetired) this.#guests.retire();
      return this.#guests;
    });
    // For the next client the disk, or the network, may work again.
    loading.catch(() => this.#loadingGuests = undefined);
    return loading;
  }

  #countLeft(stats: ClientStats | undefined): void {
    this.#counts.left(stats);
    this.#pressure.left();
  }

  #refuse(connection: TcpConnection, refusal: RerelayError): void {
    this.#counts.refused++;
    connection.close();
    this.#log.write("warn", `Refused a connection: ${refusal.message}`, { kind: refusal.name });
  }
}

/** That it can be iterated and disposed of: generated `.d.ts` files leave out computed members. */
export interface Server extends AsyncIterable<SmartMessage>, AsyncDisposable {}
