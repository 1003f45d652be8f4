/**
 * What gRPC-web has instead of HTTP/2: trailers in the body, and the headers (CORS) that let pages
 * of other origins call.
 *
 * @module
 */
import { FRAME_HEAD_BYTES, frameHead } from "./body.ts";
import type { CallField } from "./call_stream.ts";

/** Flag of the frame that holds the trailers. */
const TRAILERS_FLAG = 0x80;

/** Content type of answers. */
export const WEB_CONTENT_TYPE = "application/grpc-web+proto";

/**
 * Whether a request is one of gRPC-web that is understood here: bodies in Base64 (`-text`) are not.
 *
 * @param contentType header of the request, if it has one
 */
export function isGrpcWeb(contentType: string | null | undefined): boolean {
  return /^application\/grpc-web(\+proto)?\s*(;|$)/i.test(contentType ?? "");
}

/**
 * The frame that ends an answer.
 *
 * @param trailers of printable ASCII
 */
export function webTrailers(trailers: readonly CallField[]): Uint8Array<ArrayBuffer> {
  const text = trailers.map(([name, value]) => `${name}:${value}\r\n`).join("");
  const frame = new Uint8Array(FRAME_HEAD_BYTES + text.length);
  frame.set(frameHead(text.length, TRAILERS_FLAG));
  new TextEncoder().encodeInto(text, frame.subarray(FRAME_HEAD_BYTES));
  return frame;
}

/** Limit of the list of headers that a page asks for, in characters. */
const MAX_ASKED_LENGTH = 1024;

/**
 * The headers by which a browser lets a page of another origin call, for `OPTIONS` and `POST` alike.
 *
 * Who may call at all is decided elsewhere, before this.
 *
 * @param request what its headers say
 * @returns no headers if the request is not from a page
 */
export function corsHeaders(request: Headers): Record<string, string> {
  const origin = request.get("origin");
  if (origin === null) return {};
  const headers: Record<string, string> = {
    "access-control-allow-origin": origin,
    "access-control-expose-headers": "grpc-status, grpc-message",
    "vary": "origin",
  };
  const method = request.get("access-control-request-method");
  if (method === null) return headers;
  headers["access-control-allow-methods"] = "POST";
  headers["access-control-max-age"] = "600";
  const asked = request.get("access-control-request-headers") ?? "";
  // Only names of headers and what separates them are sent back.
  if (asked.length <= MAX_ASKED_LENGTH && /^[\w\-, ]+$/.test(asked)) {
    headers["access-control-allow-headers"] = asked;
  }
  // Pages from the Internet may reach this machine only if it says so.
  if (request.get("access-control-request-private-network") === "true") {
    headers["access-control-allow-private-network"] = "true";
  }
  return headers;
}
