/**
 * How many bytes written to a connection its other end has not taken, where the system tells.
 *
 * @module
 */
import { readFile } from "node:fs/promises";
import { type Clock, SYSTEM_CLOCK } from "../../base/clock.ts";
import { withoutZone } from "../../base/net_addr.ts";

/** Where Linux lists the connections of this machine. */
const TABLES = ["/proc/self/net/tcp", "/proc/self/net/tcp6"];

/** Number, both ends as address and port, state, and what waits to be sent and to be read. */
const ENTRY = /^ *\d+: (\w+):(\w{4}) (\w+):(\w{4}) \w\w (\w{8}):(\w{8})/gm;

/** A look at the table is followed by so many times its own time without one. */
const PAUSE = 9;
/** But by no more than so many milliseconds: one may have taken long because this program stood still. */
const MAX_PAUSE_MS = 9000;

/** The ends of a connection. */
export interface Ports {
  /** The port at our end. */
  readonly local: number;
  /** The port at the server's end. */
  readonly remote: number;
}

/** Bytes that wait in the system's buffers; `undefined` where that can't be seen. */
export async function unreadBytes(ports: Ports): Promise<number | undefined> {
  return waitingBytes(await readTables(), ports);
}

/**
 * Reads the table of connections: what we sent and the other end has not acknowledged, and where that
 * is a program of this machine also what it has not read.
 *
 * @param table lines as Linux has them
 * @param ports of the connection
 */
export function waitingBytes(table: string, { local, remote }: Ports): number | undefined {
  let bytes: number | undefined;
  for (const entry of table.matchAll(ENTRY)) {
    const [, , from, , to, sent, received] = entry.map((hex) => parseInt(hex, 16));
    if (from === local && to === remote) bytes = (bytes ?? 0) + sent!;
    if (from === remote && to === local) bytes = (bytes ?? 0) + received!;
  }
  return bytes;
}

/**
 * Tells how much of what was written to peers the system still holds: nothing else shows that a slow
 * peer takes bytes, for a socket with megabytes in it takes the next ones only when a third of it is
 * free, and one that waits behind a link of 50 KB/s is told nothing for half a minute.
 *
 * Those who ask at the same time share one look at the table, however many they are. The looks take a
 * tenth of the time at most: where a machine has 100,000 connections, also such as were closed a minute
 * ago, one takes the system half a second, and peers that stand still could keep it looking.
 *
 * @param read gives the table; default Linux's own, and nothing elsewhere
 * @param clock monotonic milliseconds, and what waits for so many
 * @returns tells how many bytes the system holds for a peer, by its address such as `127.0.0.1:50094` or
 * `[::1]:50094`: what it has not acknowledged; `undefined` where that can't be seen. Never rejects.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { askUnsentBytes } from "./unread_bytes.ts";
 *
 * const line = "1: 0100007F:2694 0100007F:C3AE 01 00000040:00000000";
 * const unsentBytes = askUnsentBytes(() => Promise.resolve(line));
 * assertEquals(await unsentBytes("127.0.0.1:50094"), 64);
 * assertEquals(await unsentBytes("127.0.0.1:50095"), undefined);
 * ```
 */
export function askUnsentBytes(
  read: () => Promise<string> = readTables,
  { now, delay }: Pick<Clock, "now" | "delay"> = SYSTEM_CLOCK,
): AskUnsentBytes {
  let look: Promise<ReadonlyMap<string, number>> | undefined;
  /** Ports of those who are asked for, as most lines are of others, and an address takes long to be read. */
  let ports = new Set<number>();
  let notBefore = 0;

  const begin = async () => {
    const restMs = notBefore - now();
    if (restMs > 0) await delay(restMs);
    const start = now();
    const table = await read().catch(() => "");
    const bytes = unsentIn(table, ports);
    // Who asks from now on is told of a later table.
    look = undefined;
    ports = new Set();
    const end = now();
    notBefore = end + Math.min(PAUSE * (end - start), MAX_PAUSE_MS);
    return bytes;
  };

  return async (addr) => {
    ports.add(Number(/\d+$/.exec(addr)));
    look ??= begin();
    return (await look).get(plain(addr));
  };
}

/** Tells how many bytes the system holds for a peer, by its address. */
export type AskUnsentBytes = (addr: string) => Promise<number | undefined>;

/** What the table tells of peers at these ports, by their addresses. */
function unsentIn(table: string, ports: ReadonlySet<number>): ReadonlyMap<string, number> {
  const bytes = new Map<string, number>();
  for (const [, , , host, hex, unsent] of table.matchAll(ENTRY)) {
    const port = parseInt(hex!, 16);
    if (!ports.has(port)) continue;
    const addr = plain(`[${hostOf(host!)}]:${port}`);
    bytes.set(addr, (bytes.get(addr) ?? 0) + parseInt(unsent!, 16));
  }
  return bytes;
}

/**
 * An address from the table as IPv6: its numbers of 32 bits have their lowest byte first on all machines
 * that Deno and Bun run on.
 */
function hostOf(hex: string): string {
  const all = hex.padStart(32, "0000000000000000FFFF0000");
  return all.replace(/(..)(..)(..)(..)/g, "$4$3:$2$1:").slice(0, -1);
}

/** An address in the one short form of IPv6, IPv4 as well; empty if it is none. */
function plain(addr: string): string {
  const [, host = "", port] = /^\[?(.*?)\]?:(\d+)$/.exec(withoutZone(addr)) ?? [];
  const url = `http://[${host.includes(":") ? host : `::ffff:${host}`}]`;
  return URL.canParse(url) ? `${new URL(url).hostname}:${port}` : "";
}

async function readTables(): Promise<string> {
  return (await Promise.all(TABLES.map(readTable))).join("\n");
}

async function readTable(path: string): Promise<string> {
  // Asked before, for Deno would stop the program and prompt for a permission that is missing.
  const isDeno = "Deno" in globalThis && !("Bun" in globalThis);
  if (isDeno && Deno.permissions.querySync({ name: "read", path }).state !== "granted") return "";
  return await readFile(path, "latin1").catch(() => ""); // other systems have none
}
