import type { SeemsLike } from "../base/errors.ts";

/** All that HTTP/1.1 has of its own, and `PRI`, with which HTTP/2 begins. */
const METHODS = [
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "CONNECT",
  "OPTIONS",
  "TRACE",
  "PATCH",
];

/** A TLS record that holds a handshake, and the first byte of its version. */
const TLS = { handshake: 0x16, major: 3 };

/**
 * Recognises a client that is no SDK of the TCP protocol by what it sent first.
 *
 * @param bytes the beginning, as much of it as there is
 * @returns `undefined` for all others
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { seemsLike } from "./seems_like.ts";
 *
 * const like = (text: string) => seemsLike(new TextEncoder().encode(text));
 * assertEquals(like("PRI * HTTP/2.0"), "grpc");
 * assertEquals(like("GET / HTTP/1.1"), "http");
 * assertEquals(like("\x16\x03\x01"), "tls");
 * assertEquals(like("hello"), undefined);
 * ```
 */
export function seemsLike(bytes: Uint8Array): SeemsLike | undefined {
  if (bytes[0] === TLS.handshake && bytes[1] === TLS.major) return "tls";
  const text = String.fromCharCode(...bytes.subarray(0, 8));
  if (text.startsWith("PRI * ")) return "grpc";
  const isAsked = METHODS.some((method) =>
    text.length > method.length ? text.startsWith(`${method} `) : text === method
  );
  return isAsked ? "http" : undefined;
}
