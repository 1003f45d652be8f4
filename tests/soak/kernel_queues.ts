/** What the system holds of connections on loopback, as proc(5) tells. */
import { readFileSync } from "node:fs";

/**
 * Bytes that wait in sockets towards ports of this machine: not yet sent there, or not yet read.
 *
 * @param ports local ports of those who read
 */
export function queuedTowards(ports: readonly number[]): number {
  const wanted = new Set(ports);
  let bytes = 0;
  for (const line of readFileSync("/proc/net/tcp", "latin1").split("\n").slice(1)) {
    const [, local, remote, , queues] = line.trim().split(/\s+/);
    if (local === undefined || remote === undefined || queues === undefined) continue;
    const [sent, received] = queues.split(":").map((hex) => parseInt(hex, 16));
    if (wanted.has(portOf(remote))) bytes += sent!;
    if (wanted.has(portOf(local))) bytes += received!;
  }
  return bytes;
}

function portOf(address: string): number {
  return parseInt(address.slice(address.indexOf(":") + 1), 16);
}
