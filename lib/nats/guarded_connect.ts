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
import type {
  ConnectionOptions,
  NatsConnection,
  NatsConnectionImpl,
} from "@nats-io/transport-node";

/** What of a socket is used here. */
interface Emitter {
  on(event: string, listener: () => void): unknown;
  removeAllListeners(...events: [event?: string]): unknown;
}

/**
 * Connects as the client's `connect` does.
 *
 * The client has one kind of transport for the whole process, which whoever connects sets. It is set to
 * the client's own one for Node before each attempt, since other code of the program may have connected by
 * the same client meanwhile; what guards a socket is in this connection alone.
 */
export async function guardedConnect(options: ConnectionOptions): Promise<NatsConnection> {
  const client = await import("@nats-io/transport-node");
  const { ProtocolHandler, setTransportFactory } = client;
  const { NodeTransport, nodeResolveHost } = await import(
    "@nats-io/transport-node/lib/node_transport.js"
  );
  const useOwnTransport = () =>
    setTransportFactory({ factory: () => new NodeTransport(), dnsResolveFn: nodeResolveHost });
  class GuardedHandler extends ProtocolHandler {
    // Resolves the name of a server, and dials each of its addresses.
    override _doDial(
      server: Parameters<typeof ProtocolHandler.prototype._doDial>[0],
    ): Promise<void> {
      useOwnTransport();
      return super._doDial(server);
    }

    override dial(server: Parameters<typeof ProtocolHandler.prototype.dial>[0]): Promise<void> {
      useOwnTransport();
      const dialing = super.dial(server);
      // It has its new transport by now, and that has no socket yet.
      guardSocket(this.transport as InstanceType<typeof NodeTransport>);
      return dialing;
    }
  }
  useOwnTransport();
  // Its types hide the constructor.
  const connection: NatsConnection & Pick<NatsConnectionImpl, "options" | "protocol"> = Reflect
    .construct(client.NatsConnectionImpl, [options]);
  const handler = new GuardedHandler(connection.options, connection);
  await handler.dialLoop();
  connection.protocol = handler;
  return connection;
}

/** Guards the sockets that a transport gets: first a plain one, then one that is encrypted. */
function guardSocket(transport: { socket?: Emitter | undefined }): void {
  let { socket } = transport;
  Object.defineProperty(transport, "socket", {
    get: () => socket,
    set(next: typeof socket) {
      socket = next;
      if (next) keepErrorListener(next);
    },
  });
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
