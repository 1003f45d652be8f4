/** Sends a recorded stream, or parts of it, as fast as it is taken. */
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { connect, type Socket } from "node:net";

/** The fastest of several sizes tried on Deno: 3.4 GB/s into a reader that discards. */
const WRITE_BYTES = 1024 * 1024;
const HANDSHAKE_BYTES = 7;

/** Of a stream, sent before all of it so that code is warm. */
export const WARM_UP_BYTES = 48_000_000;

/** Where each packet of a stream begins, and the end. */
export function packetStarts(stream: Buffer): number[] {
  const starts: number[] = [];
  let at = HANDSHAKE_BYTES;
  for (; at < stream.length; at += 4 + stream.readUInt32LE(at)) starts.push(at);
  return [...starts, at];
}

/** Packets from one on up to another, after a handshake of their own. */
export function part(stream: Buffer, starts: readonly number[], from: number, to: number): Buffer {
  const handshake = stream.subarray(0, HANDSHAKE_BYTES);
  return Buffer.concat([handshake, stream.subarray(starts[from]!, starts[to]!)]);
}

/** The stream as that of one client, or cut into equally many packets for each of several. */
export function shares(stream: Buffer, starts: readonly number[], clients: number): Buffer[] {
  if (clients === 1) return [stream];
  const cut = (i: number) => Math.floor(i * (starts.length - 1) / clients);
  return Array.from({ length: clients }, (_, i) => part(stream, starts, cut(i), cut(i + 1)));
}

/** A connection to a port of this machine. */
export async function connected(port: number): Promise<Socket> {
  const socket = connect(port, "127.0.0.1");
  socket.setNoDelay(true);
  await once(socket, "connect");
  return socket;
}

/** Sends bytes and ends the connection. */
export async function send(socket: Socket, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; at += WRITE_BYTES) {
    if (!socket.write(bytes.subarray(at, at + WRITE_BYTES))) await once(socket, "drain");
  }
  socket.end();
}
