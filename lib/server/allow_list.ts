/**
 * Which addresses may connect.
 *
 * @module
 */
import ipaddr from "ipaddr.js";
import { shown } from "../base/errors.ts";

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/**
 * Reads addresses and networks in CIDR notation (RFC 4632, RFC 4291), such as `10.0.0.0/8` or `::1`.
 *
 * @param entries IPv4 or IPv6; an IPv4 address mapped into IPv6 counts as IPv4
 * @returns a function that tells whether an address is one of these, or is in one of these networks
 * @throws {RangeError} with what is expected instead
 */
export function allowList(entries: readonly string[]): (hostname: string) => boolean {
  const ranges = entries.map(parseRange);
  return (hostname) => {
    const address = parseAddress(hostname);
    return address !== undefined &&
      ranges.some(([network, bits]) =>
        network.kind() === address.kind() && address.match(network, bits)
      );
  };
}

function parseRange(entry: string): [Address, number] {
  const [, host = "", digits] = /^([^/]*)(?:\/(\d{1,3}))?$/.exec(entry) ?? [];
  const parsed = host.includes("%") ? undefined : parse(host);
  if (parsed === undefined) throw wrong(entry);
  const most = parsed.kind() === "ipv4" ? 32 : 128;
  const bits = digits === undefined ? most : Number(digits);
  if (bits > most) throw wrong(entry);
  if (!isMapped(parsed)) return [parsed, bits];
  if (bits < 96) throw wrong(entry);
  return [parsed.toIPv4Address(), bits - 96];
}

/** Reads an address as sockets give it: behind a link-local one stands the name of its link. */
function parseAddress(hostname: string): Address | undefined {
  const address = parse(hostname.replace(/%.*$/s, ""));
  return address !== undefined && isMapped(address) ? address.toIPv4Address() : address;
}

function parse(text: string): Address | undefined {
  // The library reads octal numbers and two or three parts too, which people rarely mean.
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  return text.includes(":") && ipaddr.IPv6.isValid(text) ? ipaddr.IPv6.parse(text) : undefined;
}

function isMapped(address: Address): address is ipaddr.IPv6 {
  return address instanceof ipaddr.IPv6 && address.isIPv4MappedAddress();
}

function wrong(entry: string): RangeError {
  return new RangeError(
    `${shown(entry)} is not an address or network: expected such as 192.168.1.7, 10.0.0.0/8 or ` +
      "fd00::/8",
  );
}
