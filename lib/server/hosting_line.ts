import { formatAddr, isLoopback, type NetAddr } from "../base/net_addr.ts";

/**
 * What is said once the port is open: where, and how each generation of SDKs gets there.
 *
 * @param addr that the server listens at
 */
export function hostingLine(addr: NetAddr): string {
  const text = formatAddr(addr);
  return `Hosting a SDK server over TCP at ${text}. Connect with the Rerun logging SDK. ` +
    `From 0.23 on: rr.connect_grpc("rerun+http://${text}/proxy"); before: rr.connect_tcp("${text}")`;
}

/** A warning where anyone may connect; of a server that listens on loopback alone there is none. */
export function openLine(addr: NetAddr): string | undefined {
  if (isLoopback(addr.hostname)) return undefined;
  return `Whoever reaches ${formatAddr(addr)} can connect: nothing is encrypted and nobody is ` +
    "asked for a password. Say who may (--allow, option allow), or listen on 127.0.0.1";
}
