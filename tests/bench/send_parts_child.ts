/**
 * Sends a stream over one or several connections as fast as it is taken: first a part of it, to warm
 * the receiver up, then all.
 *
 *     send_parts_child.ts PORT FILE CLIENTS
 */
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import process from "node:process";
import { heard, say } from "../contract/child.ts";
import { clock } from "./clock.ts";
import { connected, packetStarts, part, send, shares } from "./stream_parts.ts";

const WARM_UP_BYTES = 48_000_000;

const [port, path, clients] = process.argv.slice(2);
const all = readFileSync(path!);
const starts = packetStarts(all);
const lines = heard();

const warm = starts.findLastIndex((at) => at <= WARM_UP_BYTES);
const warmUp = part(all, starts, 0, warm);
say({ messages: warm, bytes: warmUp.length });
await lines.next();
await send(await connected(Number(port)), warmUp);
await lines.next();

const parts = shares(all, starts, Number(clients));
const sockets: Socket[] = [];
for (const _ of parts) sockets.push(await connected(Number(port)));
const bytes = parts.reduce((sum, { length }) => sum + length, 0);
say({ messages: starts.length - 1, bytes, startedAt: clock() });
await Promise.all(parts.map((each, i) => send(sockets[i]!, each)));
await lines.next();
