/**
 * TCP on Deno.
 *
 * @module
 */
import { SYSTEM_CLOCK } from "../../base/clock.ts";
import { TcpBindError, TooManyOpenFiles } from "../../base/errors.ts";
import { openFiles, sockets } from "../process/open_files.ts";
import { countRead } from "./_v8_pressure.ts";
import { readableOf } from "./_pull_queue.ts";
import { type BufferPool, isReused } from "../../memory/buffer_pool.ts";
import { MAX_READ, ReadSizer } from "./_read_sizer.ts";
import { ReadTurns, type TurnTaker } from "./_read_turns.ts";
import { formatAddr, type NetAddr } from "../../base/net_addr.ts";
import type { TcpAdapter, TcpConnection, TcpListener } from "./types.ts";
import { type AskUnsentBytes, askUnsentBytes } from "./unread_bytes.ts";

/** TCP by `Deno.listen`. */
export const denoTcp: TcpAdapter = { listen };

/**
 * Connections that may wait to be accepted; more of them try again after a second, by themselves.
 */
const BACKLOG = 1024;

// ------------------------------------------------------------------------------------ listener

function listen({ hostname, port }: NetAddr): Promise<TcpListener> {
  return new Promise((resolve) => {
    openSignalPipe();
    const listener = bind({ hostname, port });
    const turns = new ReadTurns(SYSTEM_CLOCK.every);
    const unsent = askUnsentBytes();
    let closed = false;
    let told = false;
    resolve({
      addr: { hostname: listener.addr.hostname, port: listener.addr.port },
      async accept() {
        for (;;) {
          // At the limit new clients wait in the system's queue, so that files can still be opened.
          while (!sockets.hasRoom && !closed) {
            if (!told) {
              told = true;
              throw new TooManyOpenFiles(0, openFiles().limit);
            }
            await sockets.change();
          }
          told = false;
          try {
            return new DenoConnection(await listener.accept(), turns, unsent);
          } catch (error) {
            // Closing makes a waiting accept throw: BadResource, Interrupted, on Windows 10004, 10093.
            if (closed) return undefined;
            // The client left before its turn: accept the next one, without the pause that callers
            // make after errors.
            if (error instanceof Deno.errors.NotConnected) continue;
            if (error instanceof Deno.errors.ConnectionAborted) continue;
            throw error;
          }
        }
      },
      close() {
        if (closed) return;
        closed = true;
        listener.close();
        sockets.wake();
      },
    });
  });
}

function bind(addr: NetAddr): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: addr.hostname, port: addr.port, tcpBacklog: BACKLOG });
  } catch (cause) {
    throw new TcpBindError(formatAddr(addr), cause);
  }
}

/**
 * Opens Deno's pipe for signals now, by a listener. Without one Deno opens it half a second after
 * its start, and panics if clients have taken all file descriptors by then. To see it, after
 * `ulimit -n 40`: `deno eval 'setTimeout(() => {}, 2000); for (;;) Deno.openSync("/dev/null")'`,
 * its error caught.
 */
export function openSignalPipe(): void {
  if (Deno.build.os === "windows") return;
  const ignore = () => {};
  Deno.addSignalListener("SIGWINCH", ignore);
  Deno.removeSignalListener("SIGWINCH", ignore);
}

// ---------------------------------------------------------------------------------- connection

class DenoConnection implements TcpConnection, TurnTaker {
  readonly remoteAddr: NetAddr;
  turnsWithoutWait = 0;
  readonly #conn: Deno.TcpConn;
  readonly #turns: ReadTurns;
  readonly #unsent: AskUnsentBytes;
  #sizer = new ReadSizer();
  #isPooled = false;
  #readable: ReadableStream<Uint8Array> | undefined;
  #closed = false;
  hasMore = false;
  /** Whether the last read filled a large buffer. */
  #isStream = false;

  constructor(conn: Deno.TcpConn, turns: ReadTurns, unsent: AskUnsentBytes) {
    const { hostname, port } = conn.remoteAddr;
    this.remoteAddr = { hostname, port };
    this.#conn = conn;
    this.#turns = turns;
    this.#unsent = unsent;
    sockets.opened();
    try {
      conn.setKeepAlive(true);
    } catch {
      // Some systems refuse this where the peer has left already, which the first read tells.
    }
  }

  get readable(): ReadableStream<Uint8Array> {
    return this.#readable ??= readableOf(() => this.read(), this.close);
  }

  readonly close = (): void => {
    if (this.#closed) return;
    this.#closed = true;
    this.#conn.close();
    // A closed connection asks for no more turns.
    this.#isStream = false;
    this.#turns.leave(this);
    sockets.closed();
  };

  async write(bytes: Uint8Array): Promise<void> {
    for (let at = 0; at < bytes.length;) at += await this.#conn.write(bytes.subarray(at));
  }

  unsentBytes(): Promise<number | undefined> {
    return this.#unsent(formatAddr(this.remoteAddr));
  }

  setNoDelay(noDelay: boolean): void {
    try {
      this.#conn.setNoDelay(noDelay);
    } catch {
      // As with keep-alive, or this side has closed the connection.
    }
  }

  // ----------------------------------------------------------------------------------- reading

  usePool(pool: BufferPool): void {
    this.#isPooled = true;
    this.#sizer = new ReadSizer(pool);
  }

  get spaceBytes(): number {
    return this.#sizer.spaceBytes;
  }

  read(into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array | undefined> {
    const turn = this.#isStream ? this.#turns.wait(this) : undefined;
    return turn === undefined ? this.#read(into) : turn.then(() => this.#read(into));
  }

  #read(into?: Uint8Array<ArrayBuffer>): Promise<Uint8Array | undefined> {
    if (this.#closed) return Promise.resolve(undefined);
    const space = into ?? this.#sizer.space();
    // An async function would cost an idle connection half a kilobyte more.
    return this.#conn.read(space).then(
      (length) => this.#took(length, space, into !== undefined),
      (error) => {
        if (this.#closed) return undefined;
        this.close();
        throw error;
      },
    );
  }

  #took(
    length: number | null,
    space: Uint8Array<ArrayBuffer>,
    isGiven: boolean,
  ): Uint8Array | undefined {
    if (length === null) {
      // At the end or an error the descriptor is freed, even if the owner forgets to close.
      this.close();
      this.hasMore = false;
      this.#sizer.done();
      return undefined;
    }
    this.hasMore = length === space.length;
    this.#isStream = this.hasMore && length >= MAX_READ / 2;
    this.#turns.took(this, length, !this.#isStream);
    const chunk = isGiven ? space.subarray(0, length) : this.#sizer.take(length);
    // Pooled chunks leave no garbage, so they do not count towards V8's pressure.
    if (!isReused(chunk) && !(isGiven && this.#isPooled)) countRead(length);
    return chunk;
  }
}
