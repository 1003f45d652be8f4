/**
 * Takes over the connections that speak another protocol than that of the older SDKs: HTTP/2 with
 * gRPC, or HTTP/1.1. The server loads this file, and all below it, with the first such connection.
 *
 * @module
 */
import { TooManyClients } from "../base/errors.ts";
import type { BufferPool } from "../memory/buffer_pool.ts";
import type { TcpConnection } from "../adapters/tcp/types.ts";
import { GrpcService } from "../comms/grpc/service.ts";
import { GrpcError, STATUS, statusOf } from "../comms/grpc/status.ts";
import type { AnswerInfo } from "../comms/grpc/service.ts";
import type { WriteCall } from "../comms/grpc/write_call.ts";
import type { HandOver } from "../comms/sdk/packet_reader.ts";
import { shown } from "../base/errors.ts";
import { formatAddr } from "../base/net_addr.ts";
import type { SmartChannel } from "../flow/channel/smart_channel.ts";
import { GrpcClientSource } from "../flow/channel/smart_message.ts";
import type { ClientList } from "./client_list.ts";
import type { Doors } from "./doors.ts";
import { type ForwardedCall, ForwardedCalls } from "./forwarded_calls.ts";
import { GrpcClient } from "./grpc_client.ts";
import { GrpcConnection } from "./grpc_connection.ts";
import { GrpcTables } from "./grpc_tables.ts";
import { HttpGuest } from "./http_guest.ts";
import type { ListedClient } from "./listed_client.ts";
import type { ReceptionContext } from "./reception.ts";

/** How often a closing server looks whether its connections are over, in milliseconds. */
const LEAVE_STEP_MS = 10;

/** How long a closing server waits for peers that were told to leave, in milliseconds. */
const LEAVE_MS = 500;

/** What viewers are told that ask for history. */
const NO_HISTORY = "No history is kept here for viewers: start the server with --serve-web";

/** What {@linkcode Guests} work with. */
export interface GuestsOptions {
  readonly context: ReceptionContext;
  readonly list: ClientList;
  readonly doors: Doors;
  readonly pool: BufferPool | undefined;
  readonly channel: SmartChannel;
  /** Gives the next client its number. */
  readonly nextId: () => number;
  /** Called when a call that was a client is over. */
  readonly onCallLeft: (client: ListedClient) => void;
}

/** A connection that is handed over; nothing of it was decoded yet. */
export interface NewGuest {
  /** Its number among the clients; its first call takes this number over. */
  readonly id: number;
  /** When it came, in milliseconds of the clock of deadlines. */
  readonly since: number;
}

/** All connections of a server that speak HTTP. */
export class Guests {
  readonly #options: GuestsOptions;
  readonly #grpc: GrpcService<GrpcConnection>;
  readonly #tables = new GrpcTables();
  readonly #connections = new Set<GrpcConnection>();
  readonly #https = new Set<HttpGuest>();
  /** Connections whose number no call has taken over yet. */
  readonly #unusedIds = new WeakMap<GrpcConnection, number>();
  readonly #forwarded: ForwardedCalls;
  #isServing = true;
  #isRetiring = false;
  #hasTables = false;

  /** @param options what they work with */
  constructor(options: GuestsOptions) {
    this.#options = options;
    const { context, doors, pool, channel } = options;
    const { confirm, known } = context.options;
    this.#forwarded = new ForwardedCalls({ settled: () => channel.settled(), confirm, known });
    this.#grpc = new GrpcService<GrpcConnection>({
      check: ({ method: { name } }) => {
        if (name !== "ReadMessages" || doors.readMessages !== undefined) return;
        throw new GrpcError(STATUS.FAILED_PRECONDITION, NO_HISTORY);
      },
      requested: (request, connection) => connection.requested(request),
      writeMessages: (call, { headers }, connection) => {
        if (!this.#isServing) throw new GrpcError(STATUS.UNAVAILABLE, "The server closes");
        this.#admit(call, connection, this.#forwarded.begin(headers));
      },
      readMessages: (info, peer) => doors.readMessages!(info, peer),
      writeTable: (table, _info, peer) => {
        this.#tables.write(table);
        this.#tellTable(peer);
      },
      readTables: (info, connection) => this.#readTables(info, connection),
      isServing: () => this.#isServing && !this.#isRetiring,
      failed: (error, headers, peer) => this.#tellFailed(error, headers, peer),
    }, { ...context.options, pool });
  }

  /**
   * Takes a connection over.
   *
   * @param connection a connection that nobody else reads from
   * @param handOver which protocol it speaks, and the bytes that came
   * @param newGuest its number, and when it came
   * @returns what the list of clients runs
   */
  take(
    connection: TcpConnection,
    { protocol, first }: HandOver,
    { id, since }: NewGuest,
  ): GrpcConnection | HttpGuest {
    const { context, list } = this.#options;
    const guest = protocol === "http2"
      ? new GrpcConnection(connection, {
        since,
        first,
        context,
        pool: this.#options.pool,
        clients: list.size,
        hasPlace: list.hasPlace,
        onStream: (stream, connection) => this.#grpc.accept(stream, connection),
        onCalls: (connection, hasSome) =>
          hasSome ? list.carries(connection) : list.rests(connection),
      })
      : this.#httpGuest(connection, first, since);
    if (guest instanceof GrpcConnection) {
      this.#connections.add(guest);
      this.#unusedIds.set(guest, id);
    } else this.#https.add(guest);
    if (!this.#isServing) queueMicrotask(() => guest.close());
    return guest;
  }

  /** To be called when a connection or a call is over. */
  left(guest: unknown): void {
    this.#connections.delete(guest as GrpcConnection);
    this.#https.delete(guest as HttpGuest);
  }

  /** How many connections are open. */
  get size(): number {
    return this.#connections.size + this.#https.size;
  }

  /**
   * Lets connections end when the calls that they have are over: new calls belong to another
   * server.
   */
  retire(): void {
    this.#isRetiring = true;
    for (const connection of this.#connections) connection.close();
  }

  /** Takes no new calls; those that are open go on. */
  leave(): void {
    this.#isServing = false;
    for (const connection of this.#connections) connection.close();
  }

  /**
   * Resolves when all connections without open calls are over; those whose peers are slow to leave
   * are cut.
   */
  async ended(): Promise<void> {
    const { delay } = this.#options.context.options;
    for (let ms = 0; ms < LEAVE_MS && this.#idle.length > 0; ms += LEAVE_STEP_MS) {
      await delay(LEAVE_STEP_MS);
    }
    for (const connection of this.#idle) connection.cut();
  }

  /** Ends the calls that doors serve; readers that end by themselves in this time end well. */
  async close(graceMs: number): Promise<void> {
    this.#tables.close();
    const { delay } = this.#options.context.options;
    for (let ms = 0; ms < graceMs && this.#connections.size > 0; ms += LEAVE_STEP_MS) {
      await delay(LEAVE_STEP_MS);
    }
    for (const guest of [...this.#connections, ...this.#https]) guest.cut();
  }

  /** Checks the deadlines of connections that are left after the list of clients was closed. */
  check(): void {
    for (const connection of this.#connections) connection.checkDeadlines();
  }

  get #idle(): GrpcConnection[] {
    return [...this.#connections].filter(({ openStreams }) => openStreams === 0);
  }

  /**
   * Lets a call in as a client; the first call of a connection takes over the connection's number.
   */
  #admit(call: WriteCall, connection: GrpcConnection, forwarded?: ForwardedCall): void {
    const { channel, context, list, nextId, onCallLeft } = this.#options;
    const id = this.#unusedIds.get(connection) ?? nextId();
    this.#unusedIds.delete(connection);
    const sender = channel.sender(
      new GrpcClientSource(id, connection.addr, forwarded !== undefined),
    );
    const client = new GrpcClient(call, sender, connection, context, forwarded);
    connection.began(client);
    list.add(client, onCallLeft);
  }

  #httpGuest(
    connection: TcpConnection,
    first: Uint8Array<ArrayBuffer>,
    since: number,
  ): HttpGuest {
    const { context: { options, patience }, list, doors } = this.#options;
    const { handshakeTimeoutSec, maxHandshakes, log, readiness } = options;
    const guest = new HttpGuest(connection, {
      since,
      first,
      handshakeTimeoutSec,
      now: patience.now,
      log,
      readiness,
      door: doors.http && ((connection, first) => doors.http!(connection, first)),
      onHeld: this.#options.context.onUnfinished,
      onServed: (guest) => {
        list.carries(guest);
        if (this.#https.size <= maxHandshakes) return;
        const [oldest] = this.#https;
        oldest!.cut(new TooManyClients(maxHandshakes, "maxHandshakes"));
        this.#https.delete(oldest!);
      },
    });
    return guest;
  }

  async *#readTables(
    info: AnswerInfo,
    connection: GrpcConnection,
  ): AsyncGenerator<readonly Uint8Array[]> {
    await this.#options.doors.mayReadTables?.(info, connection);
    const { signal } = info;
    yield* this.#tables.read(signal, (reader) => connection.readsTables(reader, signal));
  }

  #tellTable({ addr }: GrpcConnection): void {
    if (this.#hasTables) return;
    this.#hasTables = true;
    const client = addr === undefined ? "(unknown ip)" : formatAddr(addr);
    const text =
      `The client at ${client} sends tables: they are kept for viewers, and are not saved`;
    this.#options.context.options.log.write("info", text, { client, kind: "table" });
  }

  #tellFailed(
    error: Error,
    headers: ReadonlyMap<string, string>,
    { addr }: GrpcConnection,
  ): void {
    const client = addr === undefined ? "(unknown ip)" : formatAddr(addr);
    const level = statusOf(error) === STATUS.CANCELLED ? "debug" : "warn";
    const path = shown(headers.get(":path"));
    const text = `The call ${path} of the client at ${client} failed: ${error.message}`;
    this.#options.context.options.log.write(level, text, {
      client,
      kind: `call failed ${statusOf(error)}`,
    });
  }
}
