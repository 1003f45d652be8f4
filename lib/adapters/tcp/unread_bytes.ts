/**
 * How many bytes written to a connection its other end has not read, where the system tells.
 *
 * @module
 */
import { readFile } from "node:fs/promises";

/** Where Linux lists the connections of this machine. */
const TABLES = ["/proc/self/net/tcp", "/proc/self/net/tcp6"];

/** The ends of a connection. */
export interface Ports {
  /** The port at our end. */
  readonly local: number;
  /** The port at the server's end. */
  readonly remote: number;
}

/** Bytes that wait in the system's buffers; `undefined` where that can't be seen. */
export async function unreadBytes(ports: Ports): Promise<number | undefined> {
  const tables = await Promise.all(TABLES.map((path) => readTable(path)));
  return waitingBytes(tables.join("\n"), ports);
}

/**
 * Reads the table of connections: what we sent and the other end has not acknowledged, and where that
 * is a program of this machine also what it has not read.
 *
 * @param table lines as Linux has them
 * @param ports of the connection
 */
export function waitingBytes(table: string, { local, remote }: Ports): number | undefined {
  const hex = (port: number) => port.toString(16).toUpperCase().padStart(4, "0");
  const entry =
    /^ *\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]{2} ([0-9A-F]{8}):([0-9A-F]{8})/;
  let bytes: number | undefined;
  for (const line of table.split("\n")) {
    const [, from, to, sent, received] = entry.exec(line) ?? [];
    if (from === hex(local) && to === hex(remote)) bytes = (bytes ?? 0) + parseInt(sent!, 16);
    if (from === hex(remote) && to === hex(local)) bytes = (bytes ?? 0) + parseInt(received!, 16);
  }
  return bytes;
}

async function readTable(path: string): Promise<string> {
  // Asked before, for Deno would stop the program and prompt for a permission that is missing.
  const isDeno = "Deno" in globalThis && !("Bun" in globalThis);
  if (isDeno && Deno.permissions.querySync({ name: "read", path }).state !== "granted") return "";
  return await readFile(path, "latin1").catch(() => ""); // other systems have none
}
