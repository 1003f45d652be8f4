import { ClientClock } from "./client_clock.ts";
import { type HandOver, PacketReader } from "../comms/sdk/packet_reader.ts";
import { overdue } from "../comms/sdk/patience.ts";
import type { TcpConnection } from "../adapters/tcp/types.ts";
import { type RrdHeader, rrdVersionText } from "../encoding/rrd_header.ts";
import { type Backlog, LastReads } from "./last_reads.ts";
import { isInPacket, logLeft } from "./client_log.ts";
import { HandshakeTimeout, reason, RerelayError } from "../base/errors.ts";
import type { BufferPool } from "../memory/buffer_pool.ts";
import type { CongestionManager } from "../flow/throttle/congestion_manager.ts";
import type { ChannelSender } from "../flow/channel/channel_sender.ts";
import type { KnownEnvelopes } from "../encoding/msgpack/known_envelopes.ts";
import type { FlowTurns } from "../flow/channel/flow_turns.ts";
import type { ReadGate } from "../flow/channel/read_gate.ts";
import type { MessageSource } from "../flow/channel/smart_message.ts";
import type { OnBadArrow } from "../encoding/arrow/arrow_guard.ts";
import type { DecodeLimits } from "../encoding/limits.ts";
import type { LogMsg } from "../encoding/log_msg.ts";
import type { Guests } from "./guests.ts";
import type { ListedClient } from "./listed_client.ts";
import type { ClientStats } from "./client_stats.ts";
import { Reception, type ReceptionContext } from "./reception.ts";
import { type PipelineOptions, receiveClient } from "../pipeline.ts";

/** Length of the length before each packet, in bytes. */
const PACKET_PREFIX_BYTES = 4;

/** What a client shares with all others of its server. */
export interface ClientContext extends ReceptionContext {
  /** Where memory for what is read comes from; without it, it is new. */
  readonly pool: BufferPool | undefined;
  /** Envelopes of messages of SDK 0.22 and before, by which those like them are decoded sooner. */
  readonly envelopes: KnownEnvelopes;
  /** Decides which of the clients whose sockets hold more may be read on. */
  readonly turns: FlowTurns<Client>;
  /** Shut while too much that was read waits for room in the channel. */
  readonly gate: ReadGate;
  /**
   * Gives the part that takes over connections of other protocols; its code is loaded the first
   * time.
   */
  readonly guests: () => Promise<Guests>;
  /**
   * Tells whether the server meets this version for the first time, so that it warns of each once.
   */
  readonly isNewVersion: (version: string) => boolean;
}

/** One connected client, from its accept to its leave. */
export class Client implements PipelineOptions, ListedClient {
  readonly packets: PacketReader;
  readonly envelopes: KnownEnvelopes;
  readonly #connection: TcpConnection;
  readonly #reception: Reception;
  readonly #context: ClientContext;
  readonly #clock: ClientClock;
  /** Bytes that were read and wait to be looked at or for room in the channel, of all held for it. */
  #waiting = 0;
  #waitsForRoom = false;
  /** Resolves when the client has a place; `undefined` while it need not wait for one. */
  #place: Promise<void> | undefined;
  /** Where the packet that was decoded last begins in all that came, and where it ends. */
  #packetAt = 0;
  #nextAt = 0;
  /** Set when the server begins to close: what was read since. */
  #last: LastReads | undefined;
  /** Why we ended the connection, if we did. */
  #verdict: Error | undefined;
  /** Set while the code for another protocol is loaded: bytes that wait for it, and what ends the wait. */
  #handOver: { readonly bytes: number; readonly cut: () => void } | undefined;

  constructor(connection: TcpConnection, sender: ChannelSender, context: ClientContext) {
    this.#connection = connection;
    this.#reception = new Reception(sender, context);
    this.#context = context;
    this.envelopes = context.envelopes;
    const { maxPacketBytes } = context.options;
    this.packets = new PacketReader({
      ...{ maxPacketBytes, pool: context.pool, inSlabs: true, holdsGreeted: true },
      onHandshake: (version) => this.#greet(version),
    });
    if (context.pool !== undefined) connection.usePool?.(context.pool);
    this.#clock = new ClientClock(this.packets, context.patience);
  }

  /** Who this client is. */
  get source(): MessageSource {
    return this.#reception.source;
  }

  /** When it came, in milliseconds of the server's clock. */
  get since(): number {
    return this.#clock.since;
  }

  /** What was counted of it so far. */
  get stats(): ClientStats {
    return this.#reception.stats;
  }

  get limits(): DecodeLimits {
    return this.#context.options;
  }

  get onBadArrow(): OnBadArrow {
    return this.#context.options.onBadArrow;
  }

  get congestion(): CongestionManager {
    return this.#reception.congestion;
  }

  /** Receives until the client leaves, and says why in the log; never rejects. */
  async run(): Promise<ListedClient | void> {
    let handOver: HandOver | undefined;
    try {
      const outcome = await receiveClient(this.#connection, this.#reception.sender, this);
      if (outcome instanceof Error) logLeft(this.#context.options.log, this.#addr, outcome);
      else handOver = outcome;
    } catch (bug) {
      // A mistake of our own, for nothing that a peer does leads here: it costs only this client.
      this.#reception.bug(bug);
    } finally {
      this.packets.clear();
      this.#context.turns.release(this);
      this.onWait(0, "room");
    }
    const guests = handOver && await this.#guestsFor(handOver);
    // Should a read still be under way, its memory is not counted as the client's any more.
    this.#reception.finish();
    if (handOver !== undefined && guests !== undefined) {
      const { source: { id }, since } = this;
      return guests.take(this.#connection, handOver, { id, since });
    }
    this.#connection.close();
  }

  /**
   * Waits for the code that serves the protocol this connection speaks. Meanwhile only its first bytes
   * are held, it is not read, and the deadline of its handshake stays.
   *
   * @returns nothing if the connection was closed meanwhile, or the code can't be loaded
   */
  async #guestsFor({ first: { length } }: HandOver): Promise<Guests | undefined> {
    const { log } = this.#context.options;
    const cut = new Promise<undefined>((resolve) => {
      this.#handOver = { bytes: length, cut: () => resolve(undefined) };
    });
    this.#countUnfinished();
    try {
      const guests = await Promise.race([this.#context.guests(), cut]);
      if (this.#verdict === undefined) return guests;
      logLeft(log, this.#addr, this.#verdict);
      return undefined;
    } catch (error) {
      const text = `Closing connection to client at ${this.#addr}: ` +
        `the code that serves HTTP could not be loaded: ${reason(error)}`;
      log.write("error", text, { client: this.#addr, kind: "not loaded" });
      return undefined;
    } finally {
      this.#handOver = undefined;
    }
  }

  beforeAsk(): Promise<void> | undefined {
    const { turns, gate } = this.#context;
    const wait = turns.goOn(this) ?? gate.opened();
    if (wait !== undefined) this.#countUnfinished();
    return wait;
  }

  onAsk(): void {
    this.#clock.ask();
    this.#context.turns.asks(this);
    this.#countUnfinished();
  }

  onAnswer(bytes: number, hasMore: boolean): void {
    this.#clock.answer(bytes);
    this.#context.turns.answered(this, bytes, hasMore);
    this.#last?.read(bytes);
    this.#context.onRead(bytes);
  }

  beforeLook(bytes: number, hasMore: boolean): Promise<void> | undefined {
    const place = this.#place;
    const { turns } = this.#context;
    if (place === undefined) return hasMore ? turns.acquire(this) : undefined;
    this.#place = undefined;
    this.#context.onHeld(this, bytes);
    return place.then(() => hasMore ? turns.acquire(this) : undefined);
  }

  onWait(bytes: number, why: "turn" | "room"): void {
    const { gate } = this.#context;
    if (this.#waitsForRoom) gate.add(-this.#waiting);
    this.#waiting = bytes;
    this.#waitsForRoom = bytes > 0 && why === "room";
    if (this.#waitsForRoom) gate.add(bytes);
    this.#countUnfinished();
  }

  /** While this client waits for the receiver, others may be read. */
  onPause(): void {
    this.#context.turns.release(this);
  }

  onEnd(): Error | undefined {
    return this.#verdict;
  }

  onPacket(bytes: number): void {
    this.#packetAt = this.#nextAt;
    this.#nextAt += PACKET_PREFIX_BYTES + bytes;
    const { log } = this.#context.options;
    if (log.enabled("trace")) log.write("trace", `Received packet of size ${bytes}.`);
  }

  /**
   * Warns of versions whose data this protocol does not carry: SDKs before 0.9 sent other data, and
   * those after 0.22 speak gRPC.
   */
  onHeader({ version }: RrdHeader): void {
    if (version.major === 0 && version.minor >= 9 && version.minor <= 22) return;
    const text = rrdVersionText(version);
    if (!this.#context.isNewVersion(text)) return;
    this.#context.options.log.write(
      "warn",
      `The client at ${this.#addr} sends data of Rerun ${text}; over TCP 0.9 to 0.22 are known to work. ` +
        "It is received all the same",
      { client: this.#addr, version: text },
    );
  }

  onCorrupt(msg: LogMsg, what: string): void {
    this.#reception.corrupt(msg, what);
  }

  onError(error: Error): void {
    if (!(error instanceof RerelayError)) return;
    error.client = this.#addr;
    // An error inside a packet was found when that packet was decoded; all other errors are behind
    // the last whole packet.
    error.byteOffset = isInPacket(error) ? this.#packetAt : this.#nextAt;
  }

  onMessages(msgs: readonly LogMsg[]): void {
    this.#reception.received(msgs);
  }

  /** How long we have waited for bytes, in milliseconds; 0 while the client waits for us. */
  get silentMs(): number {
    return this.#clock.silentMs;
  }

  /** Bytes of memory that are taken for a packet that is not whole, and for what is read next. */
  get unfinishedBytes(): number {
    const { spaceBytes = 0 } = this.#connection;
    return this.packets.unfinishedBytes + spaceBytes + (this.#handOver?.bytes ?? 0);
  }

  /** Bytes that were read and wait to be looked at, or for room in the channel. */
  get waitingBytes(): number {
    return this.#waiting;
  }

  drain(): void {
    this.#last = new LastReads();
  }

  backlog(gapMs: number): Backlog {
    return this.#last?.backlog(this.silentMs >= gapMs) ?? "none";
  }

  /** Stops a read that is under way from getting bytes, or lets it go on. */
  holdReading(isHeld: boolean): void {
    if (this.#connection.holdReading === undefined) return;
    this.#clock.hold(isHeld);
    this.#connection.holdReading(isHeld);
  }

  /** When the unfinished packet began, in milliseconds of the server's clock. */
  get unfinishedSince(): number {
    return this.#clock.since;
  }

  /** Ends the connection if it keeps us waiting for too long; says whether it did. */
  checkDeadlines(): boolean {
    // `onAsk` counts at each read, and a client that waits for room has had no read for a while.
    this.#countUnfinished();
    const error = this.#handOver === undefined
      ? overdue(this.#clock.waiting, this.#context.options)
      : this.#handOverOverdue(this.#handOver.bytes);
    if (error !== undefined) this.close(error);
    return error !== undefined;
  }

  /**
   * Cuts the connection; what was read of it will still be received.
   *
   * @param why the error that the client's `quit` is to have; without one it ends as if the client
   * had stopped sending
   */
  close(why?: Error): void {
    this.#verdict ??= why;
    this.#connection.close();
    this.#handOver?.cut();
  }

  /** Closes the connection, and frees its packet now: the loop may notice the end much later. */
  evict(why: Error): void {
    this.close(why);
    this.packets.shed();
    if (!this.#clock.isAsking) this.packets.clear();
    this.#countUnfinished();
  }

  get #addr(): string {
    return this.#reception.addr;
  }

  #handOverOverdue(bytes: number): Error | undefined {
    const { options: { handshakeTimeoutSec }, patience: { now } } = this.#context;
    if (now() - this.since < handshakeTimeoutSec * 1000) return undefined;
    return new HandshakeTimeout(bytes, handshakeTimeoutSec);
  }

  #countUnfinished(): void {
    this.#reception.holds(this.unfinishedBytes + this.#waiting);
  }

  #greet(version: number): void {
    this.#nextAt = this.packets.place.bytes;
    const place = this.#context.onGreeted(this);
    if (place === undefined) return this.#welcome(version);
    this.#place = place.then(() => {
      if (this.#verdict === undefined) this.#welcome(version);
    });
  }

  #welcome(version: number): void {
    if (version > 0) return this.#reception.welcome();
    const text = "Client is using an old protocol version from before 0.16. " +
      `It connected from ${this.#addr}, and is received all the same`;
    const { log } = this.#context.options;
    log.write("warn", text, { client: this.#addr, kind: "old protocol" });
  }
}
