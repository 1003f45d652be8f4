/**
 * TLS over a connection that is there already, by the sockets of Node that both runtimes have.
 *
 * @module
 */
import type { Socket } from "node:net";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";

/**
 * Encrypts a connection as its client.
 *
 * @param socket the connection
 * @param options certificates, and the name that the server's certificate must have
 * @param guard gets the new socket before anything can happen to it
 * @throws the runtime's error if there is no trust on one of both sides, or the server hangs up
 */
export async function encryptSocket(
  socket: Socket,
  options: ConnectionOptions,
  guard: (encrypted: TLSSocket) => void,
): Promise<TLSSocket> {
  const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
  const encrypted = connect({ ...options, socket, rejectUnauthorized: true }, () => {
    resolve(encrypted);
  });
  guard(encrypted);
  encrypted.on("error", reject);
  encrypted.on("close", () => reject(new Error("the server hung up instead of encrypting")));
  try {
    return await promise;
  } finally {
    encrypted.removeAllListeners();
  }
}
