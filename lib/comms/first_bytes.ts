/**
 * Tells what a connection speaks by its first bytes, for every kind of client comes to the same
 * port.
 *
 * @module
 */

/** What a connection may turn out to be. */
export type Protocol =
  /** The TCP protocol of SDK 0.9 to 0.22; its own handshake judges it further. */
  | "sdk"
  /** HTTP/2 with prior knowledge, as gRPC speaks it. */
  | "http2"
  /** HTTP/1.1: browsers, gRPC-web. */
  | "http1"
  /** TLS, which this port does not speak. */
  | "tls"
  /** SSH, which begins with its name, as no method of HTTP does. */
  | "ssh"
  /** None of these. */
  | "other";

/** How many bytes are needed to decide, at most. */
export const MAX_FIRST_BYTES = 3;

/** A TLS handshake record. */
const TLS = 0x16;
const [A, I, P, R, S, Z] = [0x41, 0x49, 0x50, 0x52, 0x53, 0x5a];

/**
 * Tells what a connection is.
 *
 * Versions of the SDK protocol from 2 on belong to it too, so that its handshake can name them.
 * `PROPFIND` and `PROPPATCH` begin as HTTP/2's `PRI` does, so that needs three bytes.
 *
 * @param bytes all that came so far
 * @returns `undefined` while they do not tell
 */
export function protocolOf(bytes: Uint8Array): Protocol | undefined {
  const [first, second, third] = bytes;
  if (first === undefined) return undefined;
  if (first <= 1) return "sdk";
  if (first === TLS) return "tls";
  if (first === P) {
    if (second === undefined) return undefined;
    if (second !== R) return "http1";
    return third === undefined ? undefined : third === I ? "http2" : "http1";
  }
  if (first === S) return second === undefined ? undefined : second === S ? "ssh" : "http1";
  if (first >= A && first <= Z) return "http1";
  if (second === undefined) return undefined;
  return second === 0 ? "sdk" : "other";
}
