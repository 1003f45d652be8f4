/**
 * The server's half of the WebSocket handshake (RFC 6455). WebSockets are our own, as far as
 * sending binary messages needs them: those of the runtimes ping, compress, time out or drop
 * messages by themselves, each in its own way, and `node:http`, which serves both runtimes here,
 * has none.
 *
 * @module
 */
import { createHash } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

const ACCEPT_SUFFIX = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/**
 * The headers that accept a WebSocket (section 4.2); `undefined` if the request does not ask for
 * one properly.
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
