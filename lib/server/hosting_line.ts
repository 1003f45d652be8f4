import { formatAddr, isLoopback, type NetAddr } from "../base/net_addr.ts";

/** Stands for all addresses of the machine, and is no address that others could connect to. */
const WILDCARDS = ["0.0.0.0", "::"];

/**
 * The log line once the port is open: where it is, and how each generation of SDKs connects.
 *
 * @param addr the address that the server listens at
 */
export function hostingLine(addr: NetAddr): string {
  const isWildcard = WILDCARDS.includes(addr.hostname);
  const to = isWildcard ? `HOST:${addr.port}` : formatAddr(addr);
  const where = isWildcard ? "; HOST is this machine, as the program that logs reaches it" : "";
  return `Hosting a SDK server over TCP at ${formatAddr(addr)}. ` +
    `Connect with the Rerun logging SDK. From 0.23 on: rr.connect_grpc("rerun+http://${to}/proxy"); ` +
    `before: rr.connect_tcp("${to}")${where}`;
}

/** A warning if anyone may connect; `undefined` for a server that listens on loopback alone. */
export function openLine(addr: NetAddr): string | undefined {
  if (isLoopback(addr.hostname)) return undefined;
  return `Whoever reaches ${formatAddr(addr)} can connect: nothing is encrypted and nobody is ` +
    "asked for a password. Say who may (--allow, option allow), or listen on 127.0.0.1";
}
