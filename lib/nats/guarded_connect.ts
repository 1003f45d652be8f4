/**
 * Connects with NATS's own client, and keeps errors of its sockets from ending the program.
 *
 * While it connects and when it gives a connection up, the client takes all listeners off its socket.
 * An error in that moment, such as a reset by a server that refuses the password, would be thrown where
 * nobody can catch it. To see it on Deno, let a server send INFO and `-ERR`, and close its socket with
 * bytes that it has not read. The client also takes them off when a connection is encrypted, and with
 * TLS 1.3 a server says only then that it wants a certificate, or knows nobody who signed ours.
 *
 * @module
 */
import { reason } from "../base/errors.ts";
import type {
  ConnectionOptions,
  NatsConnection,
  NatsConnectionImpl,
} from "@nats-io/transport-node";
import type { NodeTransport } from "@nats-io/transport-node/lib/node_transport.js";

/** What of a socket is used here. */
interface Emitter {
  on(event: string, listener: (error: Error) => void): unknown;
  removeAllListeners(...events: [event?: string]): unknown;
}

/**
 * Connects as the client's `connect` does.
 *
 * The client has one kind of transport for the whole process, which whoever connects sets. It is set to
 * the client's own one for Node before each attempt, since other code of the program may have connected by
 * the same client meanwhile; what guards a socket is in this connection alone.
 *
 * @param options those of the client
 * @param onFailure called with why an attempt failed, of those to connect anew, too, of which the client
 * tells nothing
 */
export async function guardedConnect(
  options: ConnectionOptions,
  onFailure: (error: unknown) => void = () => {},
): Promise<NatsConnection> {
  const client = await import("@nats-io/transport-node");
  const { ProtocolHandler, setTransportFactory } = client;
  const { NodeTransport: Transport, nodeResolveHost } = await import(
    "@nats-io/transport-node/lib/node_transport.js"
  );
  const useOwnTransport = () =>
    setTransportFactory({ factory: () => new Transport(), dnsResolveFn: nodeResolveHost });
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
      dialing.catch(onFailure);
      // It has its new transport by now, and that has no socket yet.
      const transport = this.transport as NodeTransport;
      // The client would wait until its time is over, and then know no reason.
      const onError = (error: Error) => {
        if (this.transport === transport) this.connectError?.(error);
      };
      guardSocket(transport, onError);
      transport.startTLS = () =>
        startTls(transport, (error) => onError(isBroken(error) ? wantsCertificate(error) : error));
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

/** Whether an error says that a connection broke, and nothing of the reason. */
function isBroken(error: Error): boolean {
  const { code = "" } = error as { code?: string };
  return code === "EPIPE" || code === "ECONNRESET";
}

/** With TLS 1.3 a client that lacks a certificate may see nothing but that the server hung up. */
function wantsCertificate(cause: Error): Error {
  const text = "the server ended the encrypted connection before it let us in " +
    `(${reason(cause)}): it may want a certificate (--nats-cert and --nats-key)`;
  return new Error(text, { cause });
}

/** Guards the sockets that a transport gets: first a plain one, then one that is encrypted. */
function guardSocket(
  transport: { socket?: Emitter | undefined },
  onError: (error: Error) => void,
): void {
  let { socket } = transport;
  Object.defineProperty(transport, "socket", {
    get: () => socket,
    set(next: typeof socket) {
      if (next && next !== socket) keepErrorListener(next, onError);
      socket = next;
    },
  });
}

/**
 * Encrypts the connection of a transport, as the client does, but with a listener for errors on the new
 * socket from its first moment on.
 */
async function startTls(
  { socket, tlsName, options }: NodeTransport,
  onError: (error: Error) => void,
): ReturnType<NodeTransport["startTLS"]> {
  const { encryptSocket } = await import("../adapters/tcp/node_encrypt.ts");
  const guard = (encrypted: Emitter) => keepErrorListener(encrypted, onError);
  return await encryptSocket(socket, { ...options.tls, servername: tlsName }, guard);
}

/**
 * Gives a socket a listener for errors that is there again after all were removed.
 *
 * @param socket the socket
 * @param onError is called with each error; the client learns of it as the end of its connection, too
 */
export function keepErrorListener(socket: Emitter, onError: (error: Error) => void): void {
  const remove = socket.removeAllListeners.bind(socket);
  socket.on("error", onError);
  socket.removeAllListeners = (...events) => {
    // With an event that is `undefined` it would remove none.
    remove(...events);
    socket.on("error", onError);
    return socket;
  };
}
