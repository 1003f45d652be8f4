import { guardArrow } from "../encoding/arrow/arrow_guard.ts";
import type { LogMsg } from "../encoding/log_msg.ts";
import { RerelayError } from "../base/errors.ts";
import { holdBytes } from "../memory/buffer_pool.ts";
import { CallCut, GrpcError, STATUS } from "../comms/grpc/status.ts";
import type { MessageTaker, WriteCall } from "../comms/grpc/write_call.ts";
import { overdue } from "../comms/sdk/patience.ts";
import type { ChannelSender } from "../flow/channel/channel_sender.ts";
import { Throttle } from "../flow/throttle/throttle.ts";
import { ClientClock } from "./client_clock.ts";
import { logLeft } from "./client_log.ts";
import type { ListedClient } from "./listed_client.ts";
import type { ClientStats } from "./client_stats.ts";
import type { ForwardedCall } from "./forwarded_calls.ts";
import { Reception, type ReceptionContext } from "./reception.ts";
import { plural } from "../base/plural.ts";

/** The connection that carries a call. */
export interface CallCarrier {
  /** To be called when the call is over. */
  ended(client: GrpcClient): void;
  /** Lets the connection take no more calls, and end when those that are open are over. */
  leave(reason: string): void;
}

/** One `WriteMessages` call: a client like any other. */
export class GrpcClient implements ListedClient, MessageTaker {
  readonly call: WriteCall;
  readonly #carrier: CallCarrier;
  readonly #reception: Reception;
  readonly #context: ReceptionContext;
  readonly #clock: ClientClock;
  readonly #forwarded: ForwardedCall | undefined;
  readonly #over = Promise.withResolvers<void>();
  #throttle: Throttle | undefined;
  /** Bytes that had come of the call when it was last looked at. */
  #lookedAtBytes = 0;
  /** Bytes of messages that wait for room in the channel. */
  #waiting = 0;
  /** Set when nothing more of it is taken, because something went wrong. */
  #isSpoilt = false;
  #isOver = false;
  #isAdmitted = false;
  /** Set when the server closes: an end of the call is no fault of the client then. */
  #isClosing = false;

  /**
   * @param call a call that nobody takes messages of yet
   * @param sender its end of the channel
   * @param carrier its connection
   * @param context what it shares with other clients
   * @param forwarded set if another Rerelay forwards what it has saved
   */
  constructor(
    call: WriteCall,
    sender: ChannelSender,
    carrier: CallCarrier,
    context: ReceptionContext,
    forwarded?: ForwardedCall,
  ) {
    this.call = call;
    this.#forwarded = forwarded;
    this.#carrier = carrier;
    this.#context = context;
    this.#reception = new Reception(sender, context);
    call.onHeld = () => this.look();
    const place = {
      get packets() {
        return call.messages;
      },
      get place() {
        const bytes = call.partialBytes;
        return { where: bytes === 0 ? "between" : "packet", bytes } as const;
      },
    };
    this.#clock = new ClientClock(place, context.patience);
  }

  get stats(): ClientStats {
    return this.#reception.stats;
  }

  get silentMs(): number {
    this.look();
    return this.#clock.silentMs;
  }

  get unfinishedBytes(): number {
    return this.call.unfinishedBytes;
  }

  /**
   * A call that inflates compressed messages counts as the oldest, so that it is closed before any
   * other when memory is short: it takes much memory for few bytes sent.
   */
  get unfinishedSince(): number {
    return this.call.isInflating ? -Infinity : this.#clock.since;
  }

  get waitingBytes(): number {
    return this.#waiting;
  }

  async run(): Promise<void> {
    const place = this.#context.onGreeted(this);
    if (place !== undefined) {
      this.#context.onHeld(this, this.unfinishedBytes);
      await place;
    }
    if (!this.#isOver) {
      if (!this.call.isOver) this.#reception.welcome(", over gRPC");
      this.#isAdmitted = true;
      if (!this.call.admit(this)) this.#end(this.call.error);
    }
    await this.#over.promise;
  }

  /**
   * Does nothing: HTTP/2's windows stop the call, and the connection is read on for its other calls
   * and for PINGs.
   */
  holdReading(): void {}

  /**
   * Takes note of what came of the call, and what is held for it; to be called whenever the
   * connection was read.
   */
  look(): void {
    const { receivedBytes, isHeldBack } = this.call;
    const came = receivedBytes - this.#lookedAtBytes;
    this.#lookedAtBytes = receivedBytes;
    if (came > 0 || isHeldBack && this.#clock.isAsking) this.#clock.answer(came);
    if (!isHeldBack && !this.#clock.isAsking) this.#clock.ask();
    if (!this.#isOver) this.#reception.holds(this.unfinishedBytes + this.#waiting);
  }

  checkDeadlines(): boolean {
    this.look();
    const error = overdue(this.#clock.waiting, this.#context.options);
    if (error !== undefined) this.close(error);
    return error !== undefined;
  }

  close(why?: Error): void {
    if (this.call.isOver) return;
    if (why !== undefined) return this.#fail(why);
    const { partialBytes } = this.call;
    this.#isClosing = partialBytes === 0;
    const text = `The server closes, having received ${
      plural(this.call.messages, "message")
    } of this call`;
    this.#fail(
      partialBytes > 0 ? new CallCut(partialBytes) : new GrpcError(STATUS.UNAVAILABLE, text),
    );
  }

  evict(why: Error): void {
    this.close(why);
    this.#carrier.leave(why.message);
  }

  #fail(why: Error): void {
    this.call.fail(why);
    // A call that still waits for a place is ended here, for nobody takes messages of it.
    if (!this.#isAdmitted) this.#end(why);
  }

  // ------------------------------------------------------------------------------------ taking

  take(msgs: LogMsg[]): Promise<void> | undefined {
    if (this.#isSpoilt) return undefined;
    const { onBadArrow, congestion } = this.#reception;
    let items = this.#forwarded?.fresh(msgs) ?? msgs;
    let error: Error | undefined;
    if (onBadArrow !== "save") {
      const onBad = (msg: LogMsg, what: string) => this.#reception.corrupt(msg, what);
      ({ items, error } = guardArrow(items, onBadArrow, onBad));
    }
    if (congestion.isBounded) {
      this.#throttle ??= new Throttle(congestion, this.#reception.sender);
      items = this.#throttle.push(items).items;
    }
    const sent = items.length > 0 ? this.#send(items) : undefined;
    if (error === undefined) return sent;
    this.#isSpoilt = true;
    return (sent ?? Promise.resolve()).then(() => {
      throw error;
    });
  }

  quit(error?: Error): Promise<void> | undefined {
    this.#end(error);
    return error === undefined ? this.#forwarded?.kept() : undefined;
  }

  #send(items: readonly LogMsg[]): Promise<void> | undefined {
    const lacking = this.#reception.sender.lacking(items);
    return lacking === 0 ? this.#put(items) : this.#sendWhenRoom(items, lacking);
  }

  async #sendWhenRoom(items: readonly LogMsg[], lacking: number): Promise<void> {
    const { sender } = this.#reception;
    const holds: (() => void)[] = [];
    for (const { encoded: { bytes } } of items) {
      this.#waiting += bytes.length;
      const release = holdBytes(bytes);
      if (release !== undefined) holds.push(release);
    }
    this.#reception.holds(this.unfinishedBytes + this.#waiting);
    await sender.waitForRoom(lacking);
    this.#waiting = 0;
    const wait = this.#put(items);
    for (const release of holds) release();
    sender.releaseRoom();
    await wait;
  }

  #put(items: readonly LogMsg[]): Promise<void> | undefined {
    let bytes = 0;
    for (const { encoded } of items) bytes += encoded.bytes.length;
    this.#context.onRead(bytes);
    this.#reception.received(items);
    return this.#reception.sender.send(items);
  }

  #end(error: Error | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    // Nobody is answered then, and what could not be kept must be forgotten all the same.
    if (error !== undefined) void this.#forwarded?.kept().catch(() => {});
    const { log } = this.#context.options;
    const reason = this.#isClosing ? undefined : error;
    if (reason instanceof RerelayError) reason.client = this.#reception.addr;
    this.#reception.sender.quit(reason);
    if (reason !== undefined) logLeft(log, this.#reception.addr, reason, this.call.messages);
    this.#reception.finish();
    this.#carrier.ended(this);
    this.#over.resolve();
  }
}
