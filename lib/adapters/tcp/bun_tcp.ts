/**
 * TCP on Bun.
 *
 * @module
 */
import { readSync } from "node:fs";
import { reason, TcpBindError, TooManyOpenFiles } from "../../base/errors.ts";
import { type BufferPool, isReused } from "../../memory/buffer_pool.ts";
import { freeMemory } from "../../memory/free_memory.ts";
import { AcceptQueue } from "./_accept_queue.ts";
import type { BunNet, BunSocket, BunSocketListener } from "./_bun_types.ts";
import { openFiles, sockets } from "../process/open_files.ts";
import { PullQueue, readableOf } from "./_pull_queue.ts";
import { ReadSizer } from "./_read_sizer.ts";
import { formatAddr, type NetAddr } from "../../base/net_addr.ts";
import type { TcpAdapter, TcpConnection, TcpListener } from "./types.ts";
import { type AskUnsentBytes, askUnsentBytes } from "./unread_bytes.ts";

declare const Bun: BunNet;

/** TCP by `Bun.listen`. */
export const bunTcp: TcpAdapter = { listen };

/** File descriptors that no connection gets, whatever else the process has open. */
const RESERVED_FILES = 32;

/** After a chunk of so many bytes more may be there already. */
const MANY_BYTES = 64 * 1024;

/** What one connection may read before Bun looks after all others again, in bytes. */
const TURN_BYTES = 4 * 1024 * 1024;

// ------------------------------------------------------------------------------------ listener

function listen(addr: NetAddr): Promise<TcpListener> {
  return new Promise((resolve) => {
    const queue = new AcceptQueue();
    const listener = bind(addr, queue);
    const bound: { address?: string } = {};
    listener.getsockname(bound);
    resolve({
      addr: { hostname: bound.address ?? addr.hostname, port: listener.port },
      accept: () => queue.accept(),
      close() {
        queue.close();
        listener.stop(false);
      },
    });
  });
}

function bind(addr: NetAddr, accepted: AcceptQueue): BunSocketListener {
  const { limit } = openFiles();
  const unsent = askUnsentBytes();
  try {
    return Bun.listen<BunConnection | undefined>({
      hostname: addr.hostname,
      port: addr.port,
      socket: {
        binaryType: "uint8array",
        open(socket) {
          // The system gives out the lowest free number: a high one means that few are left. At the
          // limit itself Bun says nothing and keeps one core busy
          // (https://github.com/oven-sh/bun/pull/32705).
          if (sockets.hasRoom && socket.fd < limit - Math.min(RESERVED_FILES, limit / 2)) {
            return accepted.offer(new BunConnection(socket, unsent));
          }
          socket.terminate();
          accepted.refuse((refused) => new TooManyOpenFiles(refused, limit));
        },
        data(socket, bytes) {
          socket.data?.onData(bytes);
          socket.pause();
        },
        drain: (socket) => socket.data?.onDrain(),
        end: (socket) => socket.data?.onEnd(),
        close(socket, error) {
          if (socket.data === undefined) return;
          sockets.closed();
          socket.data.onEnd(error);
          socket.data.onClosed(error);
        },
        error: (socket, error) => socket.data?.onEnd(error),
      },
    });
  } catch (error) {
    // The text of Bun's error has no reason in it, only its code has. To see it: listen twice at
    // one port; the second error is "Failed to listen at 127.0.0.1" with the code EADDRINUSE.
    const { code } = error as { code?: string };
    const text = code ? `${reason(error)} (${code})` : reason(error);
    throw new TcpBindError(
      formatAddr(addr),
      Object.assign(new Error(text, { cause: error }), { code }),
    );
  }
}

// ---------------------------------------------------------------------------------- connection

class BunConnection implements TcpConnection {
  declare readonly remoteAddr?: NetAddr;
  readonly #socket: BunSocket<BunConnection | undefined>;
  readonly #unsent: AskUnsentBytes;
  readonly #queue: PullQueue;
  #readable: ReadableStream<Uint8Array> | undefined;
  #pool: BufferPool | undefined;
  /** Made when it is first needed: most of many idle clients send little. */
  #sizer: ReadSizer | undefined;
  #mayHaveMore = false;
  #isHeld = false;
  /** The buffer that Bun made for the last chunk, until the next read. */
  #adopted: ArrayBufferLike | undefined;
  #turnLeft = TURN_BYTES;
  /** A write waits until the socket takes bytes again. */
  #drain: PromiseWithResolvers<void> | undefined;
  #closed: Error | undefined;

  constructor(socket: BunSocket<BunConnection | undefined>, unsent: AskUnsentBytes) {
    socket.pause();
    socket.setKeepAlive(true, 0);
    // Bun may hand over more after pause(), when the peer resets the connection: at most what the
    // system held for the socket, so the queue is bounded by that.
    this.#queue = new PullQueue({ wanted: () => this.#isHeld || socket.resume() });
    socket.data = this;
    sockets.opened();
    this.#socket = socket;
    this.#unsent = unsent;
    const { remoteAddress: hostname, remotePort: port } = socket;
    // Empty if the peer has left already.
    if (hostname) this.remoteAddr = { hostname, port };
  }

  get readable(): ReadableStream<Uint8Array> {
    return this.#readable ??= readableOf(() => this.read(), this.close);
  }

  readonly close = (): void => {
    this.#queue.discard();
    // While a write waits the peer does not read, and an orderly end would keep the socket until it
    // does.
    if (this.#drain === undefined) this.#socket.end();
    else this.#socket.terminate();
    this.onClosed();
  };

  // ----------------------------------------------------------------------------------- writing

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) {
      if (this.#closed !== undefined) throw this.#closed;
      const length = this.#socket.write(at === 0 ? bytes : bytes.subarray(at));
      if (length < 0) throw new Error("Broken pipe: the connection is closed");
      at += length;
      if (at === bytes.length) return;
      this.#drain = Promise.withResolvers();
      await this.#drain.promise;
    }
  }

  async unsentBytes(): Promise<number | undefined> {
    return this.remoteAddr && await this.#unsent(formatAddr(this.remoteAddr));
  }

  setNoDelay(noDelay: boolean): void {
    this.#socket.setNoDelay(noDelay);
  }

  // ----------------------------------------------------------------------------------- reading

  usePool(pool: BufferPool): void {
    this.#pool = pool;
  }

  read(into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array | undefined> {
    if (this.#adopted !== undefined) {
      this.#pool!.release([this.#adopted]);
      this.#adopted = undefined;
    }
    const chunk = this.#mayHaveMore && this.#queue.isWaiting ? this.#readNow(into) : undefined;
    if (chunk !== undefined) return Promise.resolve(chunk);
    this.#turnLeft = TURN_BYTES;
    // The next bytes may come in hours: do not hold memory for them.
    this.#sizer?.done();
    return this.#queue.read();
  }

  /**
   * Bun hands over chunks of up to half a megabyte, of thousands of clients at once: so even a read
   * that waits must be stopped.
   */
  holdReading(isHeld: boolean): void {
    this.#isHeld = isHeld;
    if (!this.#queue.isAsked) return;
    if (isHeld) this.#socket.pause();
    else this.#socket.resume();
  }

  get spaceBytes(): number {
    return this.#sizer?.spaceBytes ?? 0;
  }

  giveBack(chunk: Uint8Array): void {
    // Only buffers that Bun made for one chunk are freed: into a part of any other the next bytes
    // may be read.
    if (chunk.length === chunk.buffer.byteLength && !isReused(chunk)) freeMemory(chunk.buffer);
  }

  /**
   * Reads what the system holds already, directly into its place: Bun copies what it hands to the
   * `data` handler, so a large packet would be copied twice.
   */
  #readNow(into?: Uint8Array<ArrayBuffer>): Uint8Array | undefined {
    if (this.#turnLeft <= 0) return undefined;
    this.#sizer ??= new ReadSizer(this.#pool);
    const space = into ?? this.#sizer.space();
    let length = 0;
    try {
      length = readSync(this.#socket.fd, space);
    } catch (error) {
      // EAGAIN: nothing is there yet. Any other error is told to this read alone, and Bun would not
      // hear of it.
      if ((error as { code?: string }).code !== "EAGAIN") this.#queue.end(error);
    }
    // A length of 0 is the end, which Bun's own handler will tell.
    this.#mayHaveMore = length === space.length;
    this.#turnLeft -= length;
    if (length === 0) return undefined;
    return into === undefined ? this.#sizer.take(length) : into.subarray(0, length);
  }

  // ------------------------------------------------------------------------------- what Bun calls

  onData(bytes: Uint8Array): void {
    this.#mayHaveMore = bytes.length >= MANY_BYTES && this.#socket.fd >= 0;
    if (this.#pool?.isTight && this.#mayHaveMore && this.#queue.isAsked) {
      const { buffer } = bytes;
      // The pool then counts the chunk's memory as reused: whoever keeps such a chunk copies it.
      if (buffer.byteLength === bytes.length) this.#pool.adopt(this.#adopted = buffer);
    }
    this.#queue.push(bytes);
  }

  onEnd(error?: Error): void {
    this.#queue.end(error);
  }

  onDrain(): void {
    this.#drain?.resolve();
    this.#drain = undefined;
  }

  onClosed(error?: Error): void {
    this.#closed ??= error ?? new Error("Broken pipe: the connection is closed");
    this.#drain?.reject(this.#closed);
    this.#drain = undefined;
  }
}
