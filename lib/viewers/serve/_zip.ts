/**
 * Compresses lists: a page asks for them every second, and on the links that robots have, those of
 * hundreds of recordings would take much of what is left for their pictures.
 *
 * @module
 */
import type { MiddlewareHandler } from "hono";
import { acceptsGzip } from "../../base/accepts_gzip.ts";

/** Compresses the answer that follows, for whoever takes that. */
export const zip: MiddlewareHandler = async (c, next) => {
  await next();
  const { body, status, headers } = c.res;
  if (status !== 200 || body === null || c.req.method === "HEAD") return;
  headers.append("vary", "accept-encoding");
  if (!acceptsGzip(c.req.header("accept-encoding") ?? "")) return;
  headers.set("content-encoding", "gzip");
  headers.delete("content-length");
  c.res = new Response(body.pipeThrough(new CompressionStream("gzip")), { status, headers });
};
