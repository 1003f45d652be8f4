/**
 * The server's side of RFC 6455, as far as it is needed to send binary messages: the runtimes' own
 * WebSockets ping, compress, time out or drop messages by themselves, each in its own way, and can't
 * be had behind one HTTP server on both.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

const ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/**
 * The headers that accept a WebSocket (section 4.2), `undefined` if none was asked for as it must be.
 *
 * @param headers of a GET request
 */
export function acceptHeaders(headers: IncomingHttpHeaders): string[] | undefined {
  const key = headers["sec-websocket-key"];
  const asked = headers.upgrade?.toLowerCase() === "websocket" &&
    headers["sec-websocket-version"] === "13" && key !== undefined && /^[\w+/]{22}==$/.test(key);
  if (!asked) return undefined;
  const accept = createHash("sha1").update(key + ACCEPT_SUFFIX).digest("base64");
  return ["Upgrade: websocket", "Connection: Upgrade", `Sec-WebSocket-Accept: ${accept}`];
}
