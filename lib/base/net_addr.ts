/**
 * Addresses, and how people write them.
 *
 * @module
 */

/** The address of one end of a socket. */
export interface NetAddr {
  /** An IP address, or a name to bind to. */
  readonly hostname: string;
  /** 0 to 65,535; binding to 0 takes any free port. */
  readonly port: number;
}

/**
 * An IPv6 address without the zone that tells which link it is of, as in `fe80::1%eth0` (RFC 4007).
 *
 * @param host an address or a name, in brackets and with a port or not
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { withoutZone } from "./net_addr.ts";
 *
 * assertEquals(withoutZone("fe80::1%eth0"), "fe80::1");
 * assertEquals(withoutZone("[fe80::1%25eth0]:9090"), "[fe80::1]:9090");
 * assertEquals(withoutZone("robot.local"), "robot.local");
 * ```
 */
export function withoutZone(host: string): string {
  return host.replace(/^(\[?[\da-f:.]*:[\da-f:.]*)%[^\]]*/i, "$1");
}

/**
 * Writes an address as `hostname:port`, an IPv6 one in brackets (RFC 3986, section 3.2.2).
 *
 * @param addr the address
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { formatAddr } from "./net_addr.ts";
 *
 * assertEquals(formatAddr({ hostname: "127.0.0.1", port: 9876 }), "127.0.0.1:9876");
 * assertEquals(formatAddr({ hostname: "::1", port: 9876 }), "[::1]:9876");
 * ```
 */
export function formatAddr({ hostname, port }: NetAddr): string {
  return hostname.includes(":") ? `[${hostname}]:${port}` : `${hostname}:${port}`;
}

/**
 * Whether only this machine reaches an address: all of 127.0.0.0/8, `::1`, IPv4 ones among them written
 * as IPv6, and `localhost` with all names below it (RFC 1122, section 3.2.1.3; RFC 4291, sections 2.5.3
 * and 2.5.5.2; RFC 6761, section 6.3). A name that merely begins with `127.` is none.
 *
 * @param hostname an IP address in any notation, in brackets or not, or a name; without a port
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { isLoopback } from "./net_addr.ts";
 *
 * assertEquals(isLoopback("127.0.0.1"), true);
 * assertEquals(isLoopback("[::1]"), true);
 * assertEquals(isLoopback("127.0.0.1.example.com"), false);
 * ```
 */
export function isLoopback(hostname: string): boolean {
  if (/[\s/?#@\\]|\]./.test(hostname)) return false;
  const bare = withoutZone(hostname);
  const url = `http://${bare.includes(":") && !bare.startsWith("[") ? `[${bare}]` : bare}`;
  if (!URL.canParse(url)) return false;
  // URLs have one notation for each address.
  return LOOPBACK.test(new URL(url).hostname);
}

const LOOPBACK =
  /^(?:.+\.)?localhost\.?$|^127(?:\.\d+){3}$|^\[::1\]$|^\[::ffff:7f[\da-f]{2}:[\da-f]+\]$/;
