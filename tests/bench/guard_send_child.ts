/** Sends a stream each time it is told a line `PORT CLIENTS`: `guard_send_child.ts FILE`. */
import { readFileSync } from "node:fs";
import process from "node:process";
import { heard, say } from "../contract/child.ts";
import { clock } from "./clock.ts";
import { connected, packetStarts, send, shares } from "./stream_parts.ts";

const stream = readFileSync(process.argv[2]!);
const starts = packetStarts(stream);
/** Parts by the number of clients, made once. */
const made = new Map<number, ReturnType<typeof shares>>();
for await (const line of heard()) {
  const [port, clients] = line.split(" ").map(Number) as [number, number];
  const parts = made.get(clients) ?? shares(stream, starts, clients);
  made.set(clients, parts);
  const sockets = await Promise.all(parts.map(() => connected(port)));
  const bytes = parts.reduce((sum, { length }) => sum + length, 0);
  say({ messages: starts.length - 1, bytes, startedAt: clock() });
  await Promise.all(parts.map((each, i) => send(sockets[i]!, each)));
}
