import { checkCallable, checkOptions } from "../../base/check_arguments.ts";
import { type Clock, SYSTEM_CLOCK } from "../../base/clock.ts";
import { checkPositive } from "../../base/check_options.ts";
import { addTo, newTally, type Tally } from "../../base/tally.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import {
  CHANNEL_LIMIT_BYTES,
  CHANNEL_OPTIONS,
  type SmartChannelOptions,
} from "./smart_channel_options.ts";
import { ChannelSender, type SenderChannel } from "./channel_sender.ts";
import { type BufferPool, checkPool } from "../../memory/buffer_pool.ts";
import { ClientQueue, type Entry } from "./client_queue.ts";
import { copyOut } from "./copy_out.ts";
import { Lag } from "./_lag.ts";
import {
  isWasteful,
  MESSAGE_OVERHEAD_BYTES,
  type Pinned,
  pinnedBy,
  PinnedBytes,
} from "./pinned_bytes.ts";
import { Pace } from "./_pace.ts";
import type { MessageSource, SmartMessage } from "./smart_message.ts";

/** Bytes that are taken of one client before it is the next one's turn. */
const TURN_BYTES = 256 * 1024;

/**
 * A client may hold this many times as much as is free, and after a pause goes on when it holds
 * half of that. So a client alone gets most of the channel, and there is always room left for the
 * next.
 */
const SHARE = 8;

/**
 * Many clients in, one receiver out: a queue for each client, served in turn, bounded over all.
 *
 * Order is kept per client. Nothing is dropped here: a client whose share is full is asked to wait.
 *
 * @example
 * ```ts
 * import { SmartChannel } from "@rerelay/server";
 * import { assertEquals } from "@std/assert";
 *
 * const channel = new SmartChannel({ limitBytes: 1_000_000 });
 * channel.sender({ kind: "tcp-client", id: 1 }).quit(undefined); // a client that left
 * channel.close();
 * await channel.ready();
 * assertEquals(channel.take()?.map(({ payload }) => payload.type), ["quit"]);
 * assertEquals(channel.ended, true);
 * ```
 */
export class SmartChannel {
  /** Bytes that waiting messages may keep alive, over all clients. */
  readonly limitBytes: number;
  readonly #now: Clock["now"];
  readonly #pace: Pace | undefined;
  readonly #lag: Lag | undefined;
  readonly #pinned = new PinnedBytes();
  readonly #pool: BufferPool | undefined;
  /** Buffers of the messages that were taken last. */
  #handed: ArrayBufferLike[] = [];
  /**
   * Clients with waiting messages, the next one first; an array and not a set, for the reason that
   * `PinnedBytes` gives.
   */
  readonly #active: ClientQueue[] = [];
  readonly #paused = new Set<ClientQueue>();
  /** Clients that wait for room, in the order in which they get it. */
  #rooms: { readonly queue: ClientQueue; readonly bytes: number; readonly go: () => void }[] = [];
  /** Bytes of room that are promised to clients that are about to send. */
  #promised = 0;
  #turnLeft = TURN_BYTES;
  #bytes = 0;
  #length = 0;
  #sent = 0;
  #closed = false;
  #unpaused = false;
  /** Resolved when something can be taken; set while the receiver waits. */
  #waiting: PromiseWithResolvers<void> | undefined;
  readonly #settling: (() => void)[] = [];
  #flushes: { readonly upTo: number; readonly resolve: () => void }[] = [];

  /** The part of the channel that senders see. */
  readonly #end: SenderChannel;

  /**
   * Begins empty.
   *
   * @param options limit in bytes, and the clock
   * @throws {RangeError} if a limit is not above 0
   */
  constructor(options: SmartChannelOptions = {}) {
    checkOptions("SmartChannel", options, CHANNEL_OPTIONS);
    checkCallable(options, ["now", "delay"]);
    const { limitBytes = CHANNEL_LIMIT_BYTES, now = SYSTEM_CLOCK.now } = options;
    const { delay, maxWaitMs = Infinity, pool } = options;
    checkPositive("limitBytes", limitBytes);
    checkPositive("maxWaitMs", maxWaitMs);
    checkPool("SmartChannel", pool);
    this.#pace = delay && new Pace(delay);
    this.#lag = delay && maxWaitMs < Infinity ? new Lag(maxWaitMs, now) : undefined;
    this.#pool = pool;
    this.limitBytes = limitBytes;
    this.#now = now;
    this.#end = {
      now,
      put: (queue, msgs, pinned, quit) => this.#put(queue, msgs, pinned, quit),
      filled: ({ bytes }) => {
        const share = SHARE * Math.max(0, this.limitBytes - this.#bytes);
        return bytes > share ? 1 : bytes === 0 ? 0 : bytes / share;
      },
      pause: (queue) => this.#pause(queue),
      behind: (queue) => this.#unpaused ? undefined : this.#lag?.behind(queue),
      ahead: () => this.#unpaused ? undefined : this.#pace?.ahead(this.#bytes),
      free: (queue) => this.#freeFor(queue),
      isEmpty: (queue) => this.#unpaused || this.#isEmptyFor(queue),
      waitForRoom: (queue, bytes) => this.#waitForRoom(queue, bytes),
      releaseRoom: (queue) => this.#releaseRoom(queue),
    };
  }

  /** Messages that wait. */
  get length(): number {
    return this.#length;
  }

  /** Bytes that waiting messages keep alive. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Age of the oldest waiting message in seconds; 0 if none waits. */
  get latencySec(): number {
    const now = this.#now();
    let latency = 0;
    for (const queue of this.#active) latency = Math.max(latency, queue.latencySec(now));
    return latency;
  }

  /** Makes the end through which a client sends. */
  sender(source: MessageSource): ChannelSender {
    return new ChannelSender(new ClientQueue(source), this.#end);
  }

  /** Resolves when all that was sent before has been received. */
  flush(): Promise<void> {
    if (this.#active.length === 0) return Promise.resolve();
    return new Promise((resolve) => this.#flushes.push({ upTo: this.#sent, resolve }));
  }

  /** Resolves when all that was sent before has been received, and the receiver asks for more. */
  async settled(): Promise<void> {
    await this.flush();
    if (this.#waiting === undefined) await new Promise<void>((go) => this.#settling.push(go));
  }

  /**
   * Takes what is next: messages of one client, of at most its turn.
   *
   * @param limit how many messages at most
   * @returns nothing if none wait
   */
  take(limit: number = Infinity): SmartMessage[] | undefined {
    this.#releaseHanded();
    for (const resolve of this.#settling.splice(0)) resolve();
    const queue = this.#active[0];
    if (queue === undefined) return undefined;
    const messages: SmartMessage[] = [];
    while (queue.first !== undefined && this.#turnLeft > 0 && messages.length < limit) {
      const { bytes, emptied } = queue.take(messages, limit - messages.length, this.#turnLeft);
      this.#turnLeft -= bytes;
      if (emptied !== undefined) this.#release(queue, emptied);
    }
    this.#length -= messages.length;
    queue.lastLatencyMs = this.#now() - messages.at(-1)!.time;
    if (queue.first === undefined || this.#turnLeft <= 0) {
      this.#turnLeft = TURN_BYTES;
      this.#active.shift();
      if (queue.first !== undefined) this.#active.push(queue);
    }
    this.#giveRoom();
    this.#resume();
    this.#lag?.received(queue);
    this.#pace?.received(this.#bytes);
    this.#resolveFlushes();
    return messages;
  }

  /** Resolves when something waits, or once the channel is closed. */
  ready(): Promise<void> {
    for (const resolve of this.#settling.splice(0)) resolve();
    if (this.#active.length > 0 || this.#closed) return Promise.resolve();
    this.#waiting ??= Promise.withResolvers();
    return this.#waiting.promise;
  }

  /** Whether nothing waits and nothing will come. */
  get ended(): boolean {
    return this.#closed && this.#active.length === 0;
  }

  /** Says that nothing more will be sent; what waits can still be received. */
  close(): void {
    this.#closed = true;
    this.unpause();
    this.#wake();
  }

  /**
   * Lets all clients go on, for good: their sockets are closed, and what they have sent must still
   * come in.
   */
  unpause(): void {
    this.#unpaused = true;
    for (const queue of this.#paused) this.#goOn(queue);
    this.#lag?.release();
    this.#giveRoom();
  }

  /** Drops all that waits, and returns how much that was. */
  discard(): Tally {
    const lost = newTally();
    for (let batch = this.take(); batch !== undefined; batch = this.take()) {
      for (const { payload } of batch) {
        if (payload.type !== "msg") continue;
        addTo(lost, { messages: 1, bytes: payload.msg.encoded.bytes.length });
      }
    }
    return lost;
  }

  #put(
    queue: ClientQueue,
    msgs: readonly LogMsg[],
    measured: Pinned | undefined,
    quit: Entry["quit"],
  ): void {
    let kept = msgs;
    let pinned = measured ?? pinnedBy(kept);
    const waits = this.#waiting === undefined;
    if (waits && isWasteful(pinned)) {
      kept = copyOut(kept);
      pinned = pinnedBy(kept);
    }
    const { buffers } = pinned;
    const bytes = this.#pinned.add(buffers) + kept.length * MESSAGE_OVERHEAD_BYTES;
    const order = ++this.#sent;
    this.#promised -= queue.promised;
    queue.promised = 0;
    this.#pool?.acquire(buffers);
    if (queue.first === undefined) this.#active.push(queue);
    queue.push({ msgs: kept, time: this.#now(), buffers, order, ...(quit && { quit }) });
    queue.bytes += bytes;
    this.#bytes += bytes;
    this.#length += kept.length + (quit === undefined ? 0 : 1);
    this.#wake();
  }

  #wake(): void {
    this.#waiting?.resolve();
    this.#waiting = undefined;
  }

  #release(queue: ClientQueue, { msgs, buffers }: Entry): void {
    const bytes = this.#pinned.remove(buffers) + msgs.length * MESSAGE_OVERHEAD_BYTES;
    queue.bytes -= bytes;
    this.#bytes -= bytes;
    if (this.#pool !== undefined) this.#handed.push(...buffers);
  }

  /**
   * Returns the buffers of the previous `take` to the pool; asking for more means that the receiver has
   * finished with them.
   */
  #releaseHanded(): void {
    if (this.#handed.length > 0) this.#pool!.release(this.#handed.splice(0));
  }

  // ------------------------------------------------------------------------------------- pauses

  #pause(queue: ClientQueue): Promise<void> {
    if (this.#unpaused) return Promise.resolve();
    this.#paused.add(queue);
    return new Promise((resolve) => queue.resume = resolve);
  }

  #resume(): void {
    const share = SHARE / 2 * Math.max(0, this.limitBytes - this.#bytes);
    for (const queue of this.#paused) if (queue.bytes <= share) this.#goOn(queue);
  }

  #goOn(queue: ClientQueue): void {
    this.#paused.delete(queue);
    queue.resume?.();
    queue.resume = undefined;
  }

  // ------------------------------------------------------------------------------------- room

  #freeFor(queue: ClientQueue): number {
    if (this.#unpaused) return Infinity;
    // Clients that wait for room come first, however little another one needs.
    if (this.#rooms.length > 0 && queue.promised === 0) return 0;
    return this.limitBytes - this.#bytes - this.#promised + queue.promised;
  }

  #isEmptyFor(queue: ClientQueue): boolean {
    if (this.#rooms.length > 0 && queue.promised === 0) return false;
    return this.#bytes === 0 && this.#promised === queue.promised;
  }

  #waitForRoom(queue: ClientQueue, bytes: number): Promise<void> {
    this.#releaseRoom(queue);
    return new Promise((go) => {
      this.#rooms.push({ queue, bytes, go });
      this.#giveRoom();
    });
  }

  #releaseRoom(queue: ClientQueue): void {
    this.#promised -= queue.promised;
    queue.promised = 0;
    this.#giveRoom();
  }

  #giveRoom(): void {
    for (let first = this.#rooms[0]; first !== undefined; first = this.#rooms[0]) {
      const used = this.#bytes + this.#promised;
      if (!this.#unpaused && used > 0 && used + first.bytes > this.limitBytes) return;
      this.#rooms.shift();
      first.queue.promised = first.bytes;
      this.#promised += first.bytes;
      first.go();
    }
  }

  #resolveFlushes(): void {
    if (this.#flushes.length === 0) return;
    let oldest = Infinity;
    for (const { first } of this.#active) oldest = Math.min(oldest, first!.order);
    while (this.#flushes.length > 0 && this.#flushes[0]!.upTo < oldest) {
      this.#flushes.shift()!.resolve();
    }
  }
}
