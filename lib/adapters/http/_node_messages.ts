/**
 * Requests and responses of the Web, over those of `node:http`.
 *
 * @module
 */
import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Duplex, Writable } from "node:stream";
import { isGrpcWeb } from "../../comms/grpc/web_body.ts";
import type { BodyLimits } from "./types.ts";
import { textResponse } from "../../base/text_response.ts";
import { withoutZone } from "../../base/net_addr.ts";
import { plural } from "../../base/plural.ts";

/** Limits of a request's body, where the caller sets none. */
const [MAX_BODY_BYTES, BODY_SEC] = [64 * 1024 * 1024, 60];
const METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"];

/** Whether a request's headers announce a body. */
export function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) !== 0;
}

/**
 * Makes a request of the Web; of what can't be one, the response that refuses it.
 *
 * @param incoming what came
 * @param bodyMs how long the body of a gRPC-web call may take, in milliseconds
 * @param bodies limits of other bodies, where they are taken
 */
export function toRequest(
  incoming: IncomingMessage,
  bodyMs: number,
  bodies?: BodyLimits,
): Request | Response {
  const { method = "", url = "", headers } = incoming;
  const isCall = method === "POST" && isGrpcWeb(headers["content-type"]);
  const mayHaveBody = bodies !== undefined && method !== "GET" && method !== "HEAD";
  if (hasBody(incoming) && !isCall && !mayHaveBody) {
    return textResponse(413, "Requests with a body are not taken");
  }
  const { maxBytes = MAX_BODY_BYTES, timeoutSec = BODY_SEC } = bodies ?? {};
  if (!isCall && Number(headers["content-length"] ?? 0) > maxBytes) {
    return textResponse(413, `A body of more than ${plural(maxBytes, "byte")} is not taken`);
  }
  const { host, path } = targetOf(url, headers.host ?? "localhost");
  const whole = `http://${withoutZone(host)}${path}`;
  if (!path.startsWith("/") || !isHost(host) || !URL.canParse(whole)) {
    return textResponse(400, "This address cannot be asked for");
  }
  // Fetch has no CONNECT and no TRACE, but Bun takes them: `new Request("http://a", { method: "TRACE" })`.
  if (!METHODS.includes(method)) {
    return textResponse(405, "Only GET and HEAD are allowed");
  }
  const names = new Headers();
  for (let i = 0; i + 1 < incoming.rawHeaders.length; i += 2) {
    names.append(incoming.rawHeaders[i]!, incoming.rawHeaders[i + 1]!);
  }
  if (host !== headers.host) names.set("host", host);
  if (!isCall && !hasBody(incoming)) return new Request(whole, { method, headers: names });
  const body = isCall
    ? bodyOf(incoming, bodyMs, Infinity)
    : bodyOf(incoming, timeoutSec * 1000, maxBytes);
  return new Request(whole, { method, headers: names, body, duplex: "half" } as RequestInit);
}

/**
 * The body that the peer sends, read as fast as it is taken; errors if it is too long or takes too
 * long.
 */
function bodyOf(
  incoming: IncomingMessage,
  ms: number,
  maxBytes: number,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  let bytes = 0;
  const chunks = incoming[Symbol.asyncIterator]();
  const timer = setTimeout(() => incoming.destroy(new Error("The body took too long")), ms);
  return new ReadableStream({
    async pull(controller) {
      try {
        const { done, value } = await chunks.next();
        bytes += done ? 0 : value.length;
        if (bytes > maxBytes) {
          incoming.destroy();
          throw new RangeError(`The body has more than ${plural(maxBytes, "byte")}`);
        }
        if (!done) return controller.enqueue(new Uint8Array(value));
        clearTimeout(timer);
        controller.close();
      } catch (error) {
        clearTimeout(timer);
        controller.error(error);
      }
    },
    cancel() {
      clearTimeout(timer);
    },
  }, { highWaterMark: 0 });
}

function isHost(text: string): boolean {
  return /^[^\s@/?#\\]+$/.test(text);
}

/**
 * The host and the path that a request asks for. Proxies may write the whole address behind the
 * method; its host then counts instead of the `Host` header (RFC 9112, section 3.2.2), so that a
 * guard judges the host that is really asked.
 */
function targetOf(url: string, host: string): { host: string; path: string } {
  const [, asked, path = ""] = /^http:\/\/([^/?#]*)([^#]*)$/is.exec(url) ?? [];
  if (asked === undefined) return { host, path: url };
  return { host: asked, path: path.startsWith("/") ? path : `/${path}` };
}

/**
 * Writes a response's body as fast as the peer takes it, then ends the response.
 *
 * @param body cancelled if the peer leaves
 * @param outgoing cut if the body errors
 */
export async function sendBody(
  body: ReadableStream<Uint8Array> | null,
  outgoing: Writable & { flushHeaders?(): void },
): Promise<void> {
  if (body === null) return void outgoing.end();
  outgoing.flushHeaders?.();
  const reader = body.getReader();
  let isClosed = false;
  // Woken by either: a race with a promise that lasts as long as the response would leave something at
  // that promise each time.
  let wake = () => {};
  outgoing.on("drain", () => wake());
  outgoing.once("close", () => {
    isClosed = true;
    wake();
    reader.cancel().catch(() => {});
  });
  outgoing.on("error", () => outgoing.destroy());
  // Also while a write waits, for whoever cuts off a peer does so because it takes nothing.
  reader.closed.catch(() => outgoing.destroy());
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done || outgoing.destroyed) break;
      if (outgoing.write(value)) continue;
      if (!isClosed) await new Promise<void>((resolve) => wake = resolve);
    }
    outgoing.end();
  } catch {
    // Cut without a word: whoever made the body knows why it failed.
    outgoing.destroy();
  }
}

/**
 * Answers on a bare socket, and closes it behind the answer.
 *
 * @param response any
 * @param socket of a request that asked for another protocol
 */
export async function sendOverSocket(response: Response, socket: Duplex): Promise<void> {
  const head = [`HTTP/1.1 ${response.status} ${STATUS_CODES[response.status]}`];
  for (const [name, value] of response.headers) head.push(`${name}: ${value}`);
  socket.write([...head, "connection: close", "", ""].join("\r\n"));
  await sendBody(response.body, socket);
}
