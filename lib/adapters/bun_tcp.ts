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
import { readableOf } from "./_readable.ts";
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
            return accepted.offer(new BunConnection(socket));
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

class BunConnection implements TcpConnection {
  declare readonly remoteAddr?: NetAddr;
  readonly #socket: BunSocket<PullQueue | undefined>;
  readonly #queue: PullQueue;
  #readable: ReadableStream<Uint8Array> | undefined;

  constructor(socket: BunSocket<PullQueue | undefined>) {
    socket.pause();
    socket.setKeepAlive(true, 0);
    // What Bun hands over after pause(), when the peer resets, is at most what the system held for
    // the socket: the queue has this bound.
    socket.data = this.#queue = new PullQueue({ wanted: () => socket.resume() });
    this.#socket = socket;
    const { remoteAddress: hostname, remotePort: port } = socket;
    // A peer that has left already has no address any more.
    if (hostname) this.remoteAddr = { hostname, port };
  }

  get readable(): ReadableStream<Uint8Array> {
    return this.#readable ??= readableOf(() => this.read(), this.close);
  }

  readonly close = (): void => {
    this.#queue.discard();
    this.#socket.end();
  };

  // ----------------------------------------------------------------------------------- reading

  read(): Promise<Uint8Array | undefined> {
    return this.#queue.read();
  }
}
