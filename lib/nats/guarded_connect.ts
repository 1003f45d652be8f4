/**
 * Connects with NATS's own client, and keeps errors of its sockets from ending the program.
 *
 * While it connects and when it gives a connection up, the client takes all listeners off its socket.
 * An error in that moment, such as a reset by a server that refuses the password, would be thrown where
 * nobody can catch it. To see it on Deno, let a server send INFO and `-ERR`, and close its socket with
 * bytes that it has not read.
 *
 * @module
 */
import type { ConnectionOptions, NatsConnection } from "@nats-io/transport-node";

/** What of a socket is used here. */
interface Emitter {
  on(event: string, listener: () => void): unknown;
  removeAllListeners(...events: [event?: string]): unknown;
}

/** Connects as the client's `connect` does. */
export async function guardedConnect(options: ConnectionOptions): Promise<NatsConnection> {
  const { NatsConnectionImpl, setTransportFactory } = await import("@nats-io/transport-node");
  const { NodeTransport, nodeResolveHost } = await import(
    "@nats-io/transport-node/lib/node_transport.js"
  );
  const factory = () => {
    const transport = new NodeTransport();
    let { socket } = transport;
    Object.defineProperty(transport, "socket", {
      get: () => socket,
      set(next: typeof socket) {
        socket = next;
        if (next) keepErrorListener(next);
      },
    });
    return transport;
  };
  setTransportFactory({ factory, dnsResolveFn: nodeResolveHost });
  return await NatsConnectionImpl.connect(options);
}

/** Gives a socket a listener for errors that is there again after all were removed. */
export function keepErrorListener(socket: Emitter): void {
  const ignore = () => {}; // the client learns of it as the end of its connection
  const remove = socket.removeAllListeners.bind(socket);
  socket.on("error", ignore);
  socket.removeAllListeners = (...events) => {
    // With an event that is `undefined` it would remove none.
    remove(...events);
    socket.on("error", ignore);
    return socket;
  };
}
