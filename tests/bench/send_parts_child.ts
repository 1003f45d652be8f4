/**
 * Sends a stream over one or several connections as fast as it is taken: first a part of it, to warm
 * the receiver up, then all.
 *
 *     send_parts_child.ts PORT FILE CLIENTS
 */
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import process from "node:process";
import { heard, say } from "../contract/child.ts";
import { clock } from "./clock.ts";

/** The fastest of several sizes tried on Deno: 3.4 GB/s into a reader that discards. */
const WRITE_BYTES = 1024 * 1024;
const WARM_UP_BYTES = 48_000_000;
const HANDSHAKE_BYTES = 7;

const [port, path, clients] = process.argv.slice(2);
const all = readFileSync(path!);

/** Where each packet begins, and the end. */
function packetStarts(): number[] {
  const starts: number[] = [];
  let at = HANDSHAKE_BYTES;
  for (; at < all.length; at += 4 + all.readUInt32LE(at)) starts.push(at);
  return [...starts, at];
}

/** Packets from one on up to another, after a handshake of their own. */
function part(starts: readonly number[], from: number, to: number): Buffer {
  const handshake = all.subarray(0, HANDSHAKE_BYTES);
  return Buffer.concat([handshake, all.subarray(starts[from]!, starts[to]!)]);
}

async function connected(): Promise<Socket> {
  const socket = connect(Number(port), "127.0.0.1");
  socket.setNoDelay(true);
  await once(socket, "connect");
  return socket;
}

async function send(socket: Socket, bytes: Buffer): Promise<void> {
  for (let at = 0; at < bytes.length; at += WRITE_BYTES) {
    if (!socket.write(bytes.subarray(at, at + WRITE_BYTES))) await once(socket, "drain");
  }
  socket.end();
}

const starts = packetStarts();
const count = starts.length - 1;
const lines = heard();

const warm = starts.findLastIndex((at) => at <= WARM_UP_BYTES);
const warmUp = part(starts, 0, warm);
say({ messages: warm, bytes: warmUp.length });
await lines.next();
await send(await connected(), warmUp);
await lines.next();

const shares = Number(clients);
const cut = (i: number) => Math.floor(i * count / shares);
const parts = shares === 1
  ? [all]
  : Array.from({ length: shares }, (_, i) => part(starts, cut(i), cut(i + 1)));
const sockets: Socket[] = [];
for (const _ of parts) sockets.push(await connected());
const bytes = parts.reduce((sum, { length }) => sum + length, 0);
say({ messages: count, bytes, startedAt: clock() });
await Promise.all(parts.map((each, i) => send(sockets[i]!, each)));
await lines.next();
