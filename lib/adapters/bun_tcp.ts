/**
 * TCP on Bun.
 *
 * @module
 */
import process from "node:process";
import { reason, TcpBindError, TooManyOpenFiles } from "../errors.ts";
import { AcceptQueue } from "./_accept_queue.ts";
import type { BunNet, BunSocket, BunSocketListener } from "./_bun_types.ts";
import { PullQueue } from "./_pull_queue.ts";
import { formatAddr } from "./net_addr.ts";
import type { NetAddr, TcpAdapter, TcpConnection, TcpListener } from "./types.ts";

declare const Bun: BunNet;

/** TCP by `Bun.listen`. */
export const bunTcp: TcpAdapter = { listen };

/** File descriptors left for files, viewers and what else the process opens. */
const RESERVED_FILES = 32;

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
  const limit = openFileLimit();
  try {
    return Bun.listen<PullQueue | undefined>({
      hostname: addr.hostname,
      port: addr.port,
      socket: {
        binaryType: "uint8array",
        open(socket) {
          // The system gives out the lowest free number: a high one means that few are left. At the
          // limit itself Bun would say nothing and keep one core busy.
          if (socket.fd < limit - Math.min(RESERVED_FILES, limit / 2)) {
            return accepted.offer(openConnection(socket));
          }
          socket.terminate();
          accepted.refuse((refused) => new TooManyOpenFiles(refused, limit));
        },
        data(socket, bytes) {
          socket.data?.push(bytes);
          socket.pause();
        },
        end: (socket) => socket.data?.end(),
        close: (socket, error) => socket.data?.end(error),
        error: (socket, error) => socket.data?.end(error),
      },
    });
  } catch (error) {
    // Bun's text has no reason in it, only its code has.
    const { code } = error as { code?: string };
    const text = code ? `${reason(error)} (${code})` : reason(error);
    throw new TcpBindError(
      formatAddr(addr),
      Object.assign(new Error(text, { cause: error }), { code }),
    );
  }
}

function openFileLimit(): number {
  const report = process.report?.getReport() as
    | { userLimits?: { open_files?: { soft: number | string } } }
    | undefined;
  const soft = Number(report?.userLimits?.open_files?.soft);
  return Number.isNaN(soft) ? Infinity : soft; // "unlimited", or a system without such limits
}

// ---------------------------------------------------------------------------------- connection

function openConnection(socket: BunSocket<PullQueue | undefined>): TcpConnection {
  const close = () => {
    socket.data?.discard();
    socket.end();
  };
  socket.pause();
  socket.setKeepAlive(true, 0);
  const queue = readableOf(socket, close);
  socket.data = queue;
  const { remoteAddress: hostname, remotePort: port } = socket;
  const connection = { readable: queue.readable, close };
  // A peer that has left already has no address any more.
  return hostname ? { remoteAddr: { hostname, port }, ...connection } : connection;
}

// ------------------------------------------------------------------------------------- reading

function readableOf(socket: BunSocket<unknown>, close: () => void): PullQueue {
  // What Bun hands over after pause(), when the peer resets, is at most what the system held for
  // the socket: the queue has this bound.
  return new PullQueue({ wanted: () => socket.resume(), cancelled: close });
}
