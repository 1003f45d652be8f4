/**
 * Sends a stream over one or several connections as fast as it is taken, for each line that comes:
 * a part of it for `warm up`, to warm the receiver up, or all for `all`.
 *
 *     send_parts_child.ts PORT FILE CLIENTS
 */
import { readFileSync } from "node:fs";
import type { Socket } from "node:net";
import process from "node:process";
import { heard, say } from "../contract/child.ts";
import { clock } from "./clock.ts";
import { connected, packetStarts, part, send, shares, WARM_UP_BYTES } from "./stream_parts.ts";

const [port, path, clients] = process.argv.slice(2);
const all = readFileSync(path!);
const starts = packetStarts(all);
const warm = starts.findLastIndex((at) => at <= WARM_UP_BYTES);
const warmUp = { messages: warm, parts: [part(all, starts, 0, warm)] };
const whole = { messages: starts.length - 1, parts: shares(all, starts, Number(clients)) };

for await (const line of heard()) {
  const { messages, parts } = line === "all" ? whole : warmUp;
  const sockets: Socket[] = [];
  for (const _ of parts) sockets.push(await connected(Number(port)));
  const bytes = parts.reduce((sum, { length }) => sum + length, 0);
  say({ messages, bytes, startedAt: clock() });
  await Promise.all(parts.map((each, i) => send(sockets[i]!, each)));
}
