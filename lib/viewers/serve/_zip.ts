/**
 * Compresses lists: a page asks for them every second, and on the links that robots have, those of
 * hundreds of recordings would take much of what is left for their pictures.
 *
 * @module
 */
import type { MiddlewareHandler } from "hono";
import { acceptsGzip } from "../../base/accepts_gzip.ts";
import type { AnswerBodies } from "./answer_bodies.ts";
import { type ConnectionInfo, readerOf } from "./join.ts";

/**
 * Compresses the answer that follows, for whoever takes that. It is made as a whole: what a stream
 * holds for a reader that takes nothing could not be counted.
 *
 * @param bodies gives it to its reader
 */
export function zip(
  bodies: AnswerBodies,
): MiddlewareHandler<{ Bindings: Partial<ConnectionInfo> }> {
  return (c, next) =>
    bodies.whenRoom(async () => {
      await next();
      const { body, status, headers } = c.res;
      if (status !== 200 || body === null) return;
      headers.append("vary", "accept-encoding");
      if (c.req.method === "HEAD") return;
      const isZipped = acceptsGzip(c.req.header("accept-encoding") ?? "");
      const whole = isZipped ? body.pipeThrough(new CompressionStream("gzip")) : body;
      const bytes = new Uint8Array(await new Response(whole).arrayBuffer());
      if (isZipped) headers.set("content-encoding", "gzip");
      headers.set("content-length", String(bytes.length));
      c.res = new Response(bodies.of(bytes, readerOf(c.env)), { status, headers });
    });
}
