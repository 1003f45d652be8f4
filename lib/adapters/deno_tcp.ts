/**
 * TCP on Deno.
 *
 * @module
 */
import { TcpBindError } from "../errors.ts";
import { countRead } from "./_v8_pressure.ts";
import { ReadSizer } from "./_read_sizer.ts";
import { formatAddr } from "./net_addr.ts";
import type { NetAddr, TcpAdapter, TcpConnection, TcpListener } from "./types.ts";

/** TCP by `Deno.listen`. */
export const denoTcp: TcpAdapter = { listen };

// ------------------------------------------------------------------------------------ listener

function listen({ hostname, port }: NetAddr): Promise<TcpListener> {
  return new Promise((resolve) => {
    openSignalPipe();
    const listener = bind({ hostname, port });
    let closed = false;
    resolve({
      addr: { hostname: listener.addr.hostname, port: listener.addr.port },
      async accept() {
        for (;;) {
          try {
            return openConnection(await listener.accept());
          } catch (error) {
            // Closing makes a waiting accept throw: BadResource, Interrupted, on Windows 10004, 10093.
            if (closed) return undefined;
            // A client that left before its turn must not cost the next one the caller's back-off.
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
      },
    });
  });
}

function bind(addr: NetAddr): Deno.TcpListener {
  try {
    return Deno.listen({ hostname: addr.hostname, port: addr.port });
  } catch (cause) {
    throw new TcpBindError(formatAddr(addr), cause);
  }
}

/**
 * Half a second after its start Deno opens a pipe for signals, and panics if clients have taken all
 * file descriptors by then; the first listener opens it at once.
 */
function openSignalPipe(): void {
  if (Deno.build.os === "windows") return;
  const ignore = () => {};
  Deno.addSignalListener("SIGWINCH", ignore);
  Deno.removeSignalListener("SIGWINCH", ignore);
}

// ---------------------------------------------------------------------------------- connection

function openConnection(conn: Deno.TcpConn): TcpConnection {
  let closed = false;
  const close = () => {
    if (closed) return;
    closed = true;
    conn.close();
  };
  try {
    conn.setKeepAlive(true);
  } catch {
    // Some systems refuse where the peer has left already: the first read tells.
  }
  const { hostname, port } = conn.remoteAddr;
  return { remoteAddr: { hostname, port }, readable: readableOf(conn, close, () => closed), close };
}

// ------------------------------------------------------------------------------------- reading

function readableOf(
  conn: Deno.TcpConn,
  close: () => void,
  isClosed: () => boolean,
): ReadableStream<Uint8Array> {
  const sizer = new ReadSizer();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      try {
        const length = await conn.read(sizer.space());
        if (length !== null) {
          countRead(length);
          return controller.enqueue(sizer.take(length));
        }
        controller.close();
      } catch (error) {
        if (isClosed()) controller.close();
        else controller.error(error);
      }
      // Frees the file descriptor even if the owner forgets to.
      close();
    },
    cancel: close,
  }, { highWaterMark: 0 });
}
