/**
 * Connects a socket with an HTTP/2 connection: the thin stream around the pure step.
 *
 * @module
 */
import { type Clock, SYSTEM_CLOCK } from "../../base/clock.ts";
import type { BufferPool } from "../../memory/buffer_pool.ts";
import type { H2Connection } from "./connection.ts";

/** What is needed of a socket; connections of the TCP adapters have it. */
export interface H2Socket {
  /** The peer's bytes. */
  readonly readable: ReadableStream<Uint8Array>;
  /** Gives the same without a stream, where it can, into the memory it is given; `undefined` at the end. */
  read?(into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array | undefined>;
  /** Takes back memory that nobody needs any more. */
  giveBack?(chunk: Uint8Array): void;
  /** Writes all of the bytes; one call at a time. */
  write(bytes: Uint8Array): Promise<void>;
  /** How many written bytes the peer has not acknowledged; `undefined` where nobody tells. */
  unsentBytes?(): Promise<number | undefined>;
  /** Whether small writes go out at once. */
  setNoDelay(noDelay: boolean): void;
  /** Closes the socket; safe to call twice. */
  close(): void;
}

/**
 * Bytes of one write at most: few until the peer has shown that it is quick, for what is being written
 * can't be left out any more, and while a write waits nobody can tell a peer that takes little from one
 * that takes nothing.
 */
const WRITE_BYTES = { slow: 64 * 1024, quick: 512 * 1024 } as const;

/** What the heads of frames take of a write, in bytes, at most. */
const HEADS_BYTES = 4 * 1024;

/** Bytes that may wait in a stream, besides one piece, while as much is being written. */
export const MAX_AHEAD_BYTES: number = WRITE_BYTES.quick - HEADS_BYTES;

/** Pools hand out no less than this again, and the writes for a slow peer need nearly as much. */
const POOLED_BYTES = 64 * 1024;

/** A write that takes longer shows a slow peer, in milliseconds. */
const SLOW_MS = 20;

/**
 * So many quick writes in a row show a quick peer. They have more than 4 MB together, which systems take
 * at once for a slow one, too, and those of less than `TELLING_BYTES` do not count.
 */
const QUICK_WRITES = 128;

/** A quick write of fewer bytes says nothing about the peer. */
const TELLING_BYTES = WRITE_BYTES.slow / 2;

/** When HTTP/2 has ended, in how many ticks the rest must be written and the peer must have left. */
const TICKS_TO_CLOSE = 2;

/** What a driver works with; all may be left out. */
export interface H2DriverOptions {
  /** Where memory for writes comes from; without it, it is new for each run of writes. */
  readonly pool?: BufferPool | undefined;
  /** Monotonic milliseconds. */
  readonly now?: Clock["now"];
  /** Called when `writeBytes` has changed. */
  readonly onHeld?: () => void;
}

/** How many bytes the peer may send after that, which are ignored. */
const LINGER_BYTES = 1024 * 1024;

/**
 * Reads into an {@linkcode H2Connection} and writes what it gives, until it is over; then the socket is
 * closed. Reading never waits for anybody but a peer that does not take our answers to its frames.
 *
 * Call `tick` every second or so: without it there are no deadlines.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { memoryTcp } from "../../adapters/tcp/memory_tcp.ts";
 * import { H2Connection } from "./connection.ts";
 * import { H2Driver } from "./drive.ts";
 *
 * const net = memoryTcp();
 * const listener = await net.listen({ hostname: "127.0.0.1", port: 0 });
 * net.connect().writable.getWriter().write(new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"));
 * const socket = (await listener.accept())!;
 * const { message } = (await new H2Driver(socket, new H2Connection("server")).run())!;
 * assertEquals(message, "HTTP/2 PROTOCOL_ERROR: the connection does not begin as HTTP/2 does");
 * ```
 */
export class H2Driver {
  readonly #socket: H2Socket;
  readonly #h2: H2Connection;
  readonly #pool: BufferPool | undefined;
  readonly #now: Clock["now"];
  readonly #onHeld: (() => void) | undefined;
  /** Writes that were quick and not small, since the last that was slow. */
  #quickWrites = 0;
  #isWriting = false;
  /** When the write under way began. */
  #writesSince: number | undefined;
  /** Where what is being written stands. */
  #memory: Uint8Array<ArrayBuffer> = NONE;
  /** Set when nothing is read any more. */
  #isOver = false;
  #ticksLeft = TICKS_TO_CLOSE;
  /** What the peer had not acknowledged when it was last looked at, while it is silent. */
  #unsent: number | undefined;
  /** Lets reading go on; set while it waits until the peer has taken our answers. */
  #rest: (() => void) | undefined;

  /**
   * @param socket nobody else reads from or writes to
   * @param h2 nobody else pushes to or takes from
   * @param options a clock, and where memory comes from
   */
  constructor(
    socket: H2Socket,
    h2: H2Connection,
    { pool, now = SYSTEM_CLOCK.now, onHeld }: H2DriverOptions = {},
  ) {
    this.#socket = socket;
    this.#h2 = h2;
    this.#pool = pool;
    this.#now = now;
    this.#onHeld = onHeld;
  }

  /** Bytes of memory that hold what is being written, until the peer has taken it. */
  get writeBytes(): number {
    return this.#memory.buffer.byteLength;
  }

  /** Since when the peer has not taken them, in milliseconds of the clock. */
  get writesSince(): number | undefined {
    return this.#writesSince;
  }

  /**
   * Runs it.
   *
   * @param first bytes that were read before
   * @returns why it was ended, `undefined` if in peace; never rejects
   */
  async run(first?: Uint8Array): Promise<Error | undefined> {
    const h2 = this.#h2;
    this.#socket.setNoDelay(true);
    h2.onWake = () => this.#wake();
    this.#wake();
    if (first !== undefined) h2.push(first);
    try {
      const read = readerOf(this.#socket);
      while (!h2.isClosed) {
        if (h2.isCongested) await new Promise<void>((resolve) => this.#rest = resolve);
        else if (!await this.#readOnce(read)) break;
      }
      if (h2.lingers) await linger(read);
      h2.finish();
    } catch (error) {
      h2.finish(error instanceof Error ? error : new Error(String(error)));
    }
    this.#isOver = true;
    if (!this.#isWriting) this.#socket.close();
    return h2.error;
  }

  /** Looks at the deadlines. */
  tick(): void {
    if (this.#h2.isAsked) void this.#lookTaking();
    else this.#unsent = undefined;
    this.#h2.tick();
    // A peer that does not read must not keep a connection that is over.
    if (this.#h2.isClosed && --this.#ticksLeft <= 0) this.#socket.close();
  }

  /**
   * A PING is behind what was written before: on a link of 50 KB/s megabytes in the socket take longer
   * than a peer has to answer.
   */
  async #lookTaking(): Promise<void> {
    const bytes = await this.#socket.unsentBytes?.();
    // Where nobody tells, this is not true.
    if (bytes! < this.#unsent!) this.#h2.peerTook();
    this.#unsent = bytes;
  }

  /**
   * Reads once; a function of its own, so that nothing that was read is held while the next bytes
   * are awaited.
   */
  async #readOnce(read: Read): Promise<boolean> {
    const room = this.#h2.readInto();
    const chunk = await read(room);
    if (chunk === undefined) return false;
    const isFree = this.#h2.push(chunk);
    if (isFree && chunk.buffer !== room?.buffer) this.#socket.giveBack?.(chunk);
    return true;
  }

  #wake(): void {
    if (this.#isWriting) return;
    this.#isWriting = true;
    // Written at the end of this turn of the event loop, with all that is added in it.
    queueMicrotask(() => this.#write());
  }

  async #write(): Promise<void> {
    const h2 = this.#h2;
    try {
      for (let bytes = this.#take(); bytes.length > 0; bytes = this.#take()) {
        const since = this.#writesSince = this.#now();
        await this.#socket.write(bytes);
        if (this.#now() - since > SLOW_MS) this.#quickWrites = 0;
        else if (bytes.length >= TELLING_BYTES) this.#quickWrites++;
        h2.wrote();
        this.#goOn();
      }
    } catch (error) {
      h2.wrote();
      h2.finish(error instanceof Error ? error : new Error(String(error)));
    }
    this.#writesSince = undefined;
    this.#setMemory(NONE);
    this.#isWriting = false;
    this.#goOn();
    if (this.#isOver || h2.isClosed && !h2.lingers) this.#socket.close();
  }

  /** What is to be written next, in memory that is used again for what follows it. */
  #take(): Uint8Array {
    const most = WRITE_BYTES[this.#quickWrites < QUICK_WRITES ? "slow" : "quick"];
    this.#h2.aheadBytes = most - HEADS_BYTES;
    const bytes = Math.min(this.#h2.sendableBytes, most);
    if (bytes > this.#memory.length) {
      const size = bytes > POOLED_BYTES / 2 ? Math.max(bytes, POOLED_BYTES) : bytes;
      this.#setMemory(NONE);
      this.#setMemory(this.#pool?.take(size) ?? new Uint8Array(size));
    }
    return this.#memory.subarray(0, this.#h2.take(this.#memory.subarray(0, most)));
  }

  #setMemory(memory: Uint8Array<ArrayBuffer>): void {
    this.#pool?.release([this.#memory.buffer]);
    this.#memory = memory;
    this.#onHeld?.();
  }

  #goOn(): void {
    if (this.#rest === undefined || this.#h2.isCongested && !this.#h2.isClosed) return;
    this.#rest();
    this.#rest = undefined;
  }
}

const NONE = new Uint8Array(0);

type Read = (into?: Uint8Array<ArrayBuffer>) => Promise<Uint8Array | undefined>;

/** Gives the way to read: without a stream if the socket can do that. */
function readerOf(socket: H2Socket): Read {
  if (socket.read !== undefined) return (into) => socket.read!(into);
  const reader = socket.readable.getReader();
  return async () => (await reader.read()).value;
}

/**
 * Waits until the peer closes: whoever closes a socket from which something is still to be read resets
 * it, and then the peer may lose what was written last.
 */
async function linger(read: Read): Promise<void> {
  let bytes = 0;
  for (let chunk = await read(); chunk !== undefined; chunk = await read()) {
    bytes += chunk.length;
    if (bytes > LINGER_BYTES) return;
  }
}
