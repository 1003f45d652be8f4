/** Clients that the TCP contract is tested with. */
import { connect } from "node:net";
import { once } from "node:events";
import type { MemoryNet } from "../../lib/adapters/tcp/memory_tcp.ts";
import type { NetAddr } from "../../lib/base/net_addr.ts";
import { joined } from "./streams.ts";

/** The other end of a connection. */
export interface TestClient {
  readonly localAddr: NetAddr;
  /** Resolves when the system, or the memory network, has taken the bytes. */
  write(bytes: Uint8Array): Promise<void>;
  /** Sends FIN; resolves when the system has taken it. */
  end(): Promise<void>;
  /** What the server has written so far, once it is so many bytes at least, or all. */
  received(atLeast: number): Promise<Uint8Array<ArrayBuffer>>;
  /** Stops reading, or goes on; it begins reading. */
  read(on: boolean): void;
  /** Sends RST. */
  reset(): void;
  /** Resolves when the connection is closed, whoever closed it. */
  readonly closed: Promise<void>;
}

/** Connects to a listener. */
export type Dial = (addr: NetAddr) => Promise<TestClient>;

/** A client over the system's TCP. */
export const dialSystem: Dial = async ({ hostname, port }) => {
  const socket = connect({ host: hostname, port, allowHalfOpen: true });
  const closed = new Promise<void>((resolve) => socket.once("close", () => resolve()));
  await once(socket, "connect");
  socket.on("error", () => {}); // a reset by the server; `closed` tells
  socket.on("end", () => socket.end());
  const inbox = new Inbox();
  socket.on("data", (bytes: Uint8Array) => inbox.add(bytes)); // and the end is never seen if nobody reads
  socket.on("close", () => inbox.end());
  return {
    localAddr: { hostname: socket.localAddress!, port: socket.localPort! },
    write: (bytes) =>
      new Promise((resolve, reject) =>
        socket.write(bytes, (error) => error ? reject(error) : resolve())
      ),
    end: () => new Promise((resolve) => socket.end(() => resolve())),
    received: (atLeast) => inbox.received(atLeast),
    read: (on) => void (on ? socket.resume() : socket.pause()),
    reset: () => socket.resetAndDestroy(),
    closed,
  };
};

/** A client in memory. */
export function dialMemory(net: MemoryNet): Dial {
  return ({ port }) => {
    const { localAddr, writable, readable, closed, reset } = net.connect(port);
    const writer = writable.getWriter();
    writer.closed.catch(() => {}); // a write says the same
    const left = Promise.withResolvers<void>();
    const inbox = new Inbox();
    let mayRead = Promise.withResolvers<void>();
    mayRead.resolve();
    (async () => {
      const reader = readable.getReader();
      for (;;) {
        await mayRead.promise;
        const { value } = await reader.read();
        if (value === undefined) return inbox.end();
        inbox.add(value);
      }
    })();
    return Promise.resolve({
      localAddr,
      write: (bytes) => writer.write(bytes),
      end: () => writer.close(),
      received: (atLeast) => inbox.received(atLeast),
      read(on) {
        if (on) mayRead.resolve();
        else mayRead = Promise.withResolvers();
      },
      reset: () => {
        reset(new Error("Connection reset by peer"));
        left.resolve();
      },
      closed: Promise.race([closed, left.promise]),
    });
  };
}

/** Keeps what comes. */
class Inbox {
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #isOver = false;
  #change = Promise.withResolvers<void>();

  add(bytes: Uint8Array): void {
    this.#chunks.push(bytes.slice());
    this.#bytes += bytes.length;
    this.#wake();
  }

  end(): void {
    this.#isOver = true;
    this.#wake();
  }

  async received(atLeast: number): Promise<Uint8Array<ArrayBuffer>> {
    while (this.#bytes < atLeast && !this.#isOver) await this.#change.promise;
    return joined(this.#chunks);
  }

  #wake(): void {
    this.#change.resolve();
    this.#change = Promise.withResolvers();
  }
}
