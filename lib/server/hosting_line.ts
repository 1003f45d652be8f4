import { formatAddr, isLoopback, type NetAddr } from "../base/net_addr.ts";

/**
 * The log line once the port is open: where it is, and how each generation of SDKs connects.
 *
 * @param addr the address that the server listens at
 */
export function hostingLine(addr: NetAddr): string {
  const text = formatAddr(addr);
  return `Hosting a SDK server over TCP at ${text}. Connect with the Rerun logging SDK. ` +
    `From 0.23 on: rr.connect_grpc("rerun+http://${text}/proxy"); before: rr.connect_tcp("${text}")`;
}

/** A warning if anyone may connect; `undefined` for a server that listens on loopback alone. */
export function openLine(addr: NetAddr): string | undefined {
  if (isLoopback(addr.hostname)) return undefined;
  return `Whoever reaches ${formatAddr(addr)} can connect: nothing is encrypted and nobody is ` +
    "asked for a password. Say who may (--allow, option allow), or listen on 127.0.0.1";
}
