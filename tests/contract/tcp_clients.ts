/** Clients that the TCP contract is tested with. */
import { connect } from "node:net";
import { once } from "node:events";
import type { MemoryNet } from "../../lib/adapters/tcp/memory_tcp.ts";
import type { NetAddr } from "../../lib/base/net_addr.ts";

/** The other end of a connection. */
export interface TestClient {
  readonly localAddr: NetAddr;
  /** Resolves when the system, or the memory network, has taken the bytes. */
  write(bytes: Uint8Array): Promise<void>;
  /** Sends FIN; resolves when the system has taken it. */
  end(): Promise<void>;
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
  socket.resume(); // or the end is never seen
  return {
    localAddr: { hostname: socket.localAddress!, port: socket.localPort! },
    write: (bytes) =>
      new Promise((resolve, reject) =>
        socket.write(bytes, (error) => error ? reject(error) : resolve())
      ),
    end: () => new Promise((resolve) => socket.end(() => resolve())),
    reset: () => socket.resetAndDestroy(),
    closed,
  };
};

/** A client in memory. */
export function dialMemory(net: MemoryNet): Dial {
  return ({ port }) => {
    const { localAddr, writable, closed, reset } = net.connect(port);
    const writer = writable.getWriter();
    writer.closed.catch(() => {}); // a write says the same
    const left = Promise.withResolvers<void>();
    return Promise.resolve({
      localAddr,
      write: (bytes) => writer.write(bytes),
      end: () => writer.close(),
      reset: () => {
        reset(new Error("Connection reset by peer"));
        left.resolve();
      },
      closed: Promise.race([closed, left.promise]),
    });
  };
}
