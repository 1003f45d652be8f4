/**
 * Deno's TCP as sockets for `node:http`: Deno's own `node:net` accepts nobody any more once the
 * process has been out of file descriptors. To see it, after `ulimit -n 60`: run
 * `createServer(() => console.log("accepted")).listen(9000)` of `node:net`, open 100 connections, close
 * all of them and open 100 more: it says 36 times that it has accepted one, and nothing after that.
 *
 * @module
 */
import type { Socket } from "node:net";
import { TcpBindError } from "../../base/errors.ts";
import { asSocket, ConnectionSocket, type SocketSource } from "./_connection_socket.ts";
import { openSignalPipe } from "../tcp/deno_tcp.ts";
import { formatAddr, type NetAddr } from "../../base/net_addr.ts";

/**
 * Bytes of the buffer of each read: small, for clients send a short request, and thousands of idle
 * ones hold a buffer each.
 */
const READ_BYTES = 4096;

/** How long accepting rests after an error, in milliseconds. */
const REST_MS = 100;

/** A listening socket. */
export interface SocketListener {
  readonly addr: NetAddr;
  /** Stops listening; connections stay open. */
  close(): void;
}

/**
 * Listens by `Deno.listen`.
 *
 * @param addr where
 * @param backlog connections that may wait to be accepted
 * @param onSocket takes each connection
 * @throws {TcpBindError} if the address can't be bound
 */
export function listenDeno(
  addr: NetAddr,
  backlog: number,
  onSocket: (socket: Socket) => void,
): SocketListener {
  openSignalPipe();
  const listener = bind(addr, backlog);
  let closed = false;
  const accept = async () => {
    while (!closed) {
      try {
        onSocket(asSocket(new ConnectionSocket(sourceOf(await listener.accept()))));
      } catch {
        // No descriptor is left, or the client left before its turn: go on accepting, after a rest.
        if (!closed) await new Promise((resolve) => setTimeout(resolve, REST_MS));
      }
    }
  };
  accept();
  const { hostname, port } = listener.addr;
  return {
    addr: { hostname, port },
    close() {
      closed = true;
      listener.close();
    },
  };
}

function bind(addr: NetAddr, tcpBacklog: number): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: addr.hostname, port: addr.port, tcpBacklog });
  } catch (cause) {
    throw new TcpBindError(formatAddr(addr), cause);
  }
}

/**
 * Makes a source of Deno's connection, which can be closed in one direction, and says how much each
 * write took.
 */
function sourceOf(conn: Deno.TcpConn): SocketSource {
  try {
    conn.setKeepAlive(true);
  } catch {
    // The peer has left already, which the next read tells.
  }
  return {
    remoteAddr: { hostname: conn.remoteAddr.hostname, port: conn.remoteAddr.port },
    async read() {
      const buffer = new Uint8Array(READ_BYTES);
      const length = await conn.read(buffer);
      return length === null ? undefined : buffer.subarray(0, length);
    },
    async write(bytes) {
      for (let at = 0; at < bytes.length;) at += await conn.write(bytes.subarray(at));
    },
    writeSome: (bytes) => conn.write(bytes),
    closeWrite: () => conn.closeWrite(),
    setNoDelay(noDelay) {
      try {
        conn.setNoDelay(noDelay);
      } catch {
        // Fails where the peer has left already, which the next read tells.
      }
    },
    close() {
      try {
        conn.close();
      } catch {
        // The connection is closed already.
      }
    },
  };
}
