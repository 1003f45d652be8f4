/**
 * Serves files of the page over HTTP.
 *
 * @module
 */
import type { Context } from "hono";
import type { AnswerBodies } from "./answer_bodies.ts";
import { type ConnectionInfo, readerOf } from "./join.ts";

/** A file of the page. */
export interface PageAsset {
  /** Its media type. */
  readonly type: string;
  /** Its content, compressed if `encoding` says so. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** How it is compressed. */
  readonly encoding?: "gzip" | "br";
  /** Length of its content in bytes, uncompressed. */
  readonly size: number;
  /** Changes with its content; in double quotes. */
  readonly etag: string;
}

/** The files of the page, by path. */
export interface PageAssets {
  /**
   * A file; `undefined` if there is none.
   *
   * @param path such as `/`
   * @param acceptedEncodings the request's `Accept-Encoding`
   */
  get(path: string, acceptedEncodings: string): Promise<PageAsset | undefined>;
}

/**
 * Answers with a file of the page, or that there is none.
 *
 * @param c the request
 * @param page all files
 * @param bodies gives it in pieces: as one, the ten megabytes of a viewer would be copied for each
 * request
 */
export async function assetAnswer(
  c: Context<{ Bindings: Partial<ConnectionInfo> }>,
  page: PageAssets | undefined,
  bodies: AnswerBodies,
): Promise<Response> {
  const found = await page?.get(c.req.path, c.req.header("accept-encoding") ?? "");
  if (found === undefined) return await c.notFound();
  const { type, body, encoding, etag, size } = found;
  c.header("content-type", type);
  c.header("etag", etag);
  // Browsers must ask each time, and are mostly answered "not modified".
  c.header("cache-control", "no-cache");
  c.header("vary", "accept-encoding");
  const known = c.req.header("if-none-match")?.split(/\s*,\s*/) ?? [];
  if (known.some((tag) => tag.replace(/^W\//, "") === etag)) return c.body(null, 304);
  if (encoding !== undefined) c.header("content-encoding", encoding);
  // For the page's progress bar: the length of compressed content does not tell it.
  c.header("x-full-length", String(size));
  return c.body(bodies.of(body, readerOf(c.env), true));
}
