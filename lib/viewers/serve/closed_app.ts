/**
 * What a port for SDKs answers browsers where nothing is kept for viewers.
 *
 * @module
 */
import { textResponse } from "../../base/text_response.ts";
import { grpcWeb } from "./grpc_web.ts";
import { type Guard, viewerGuard } from "./guard.ts";
import type { ConnectionInfo } from "./join.ts";

/**
 * An app that has `/healthz`, and names the option with which there would be more.
 *
 * @param guard who may ask; default this machine alone
 *
 * @example
 * ```ts
 * import { closedApp } from "@rerelay/server/viewers";
 * import { assertEquals } from "@std/assert";
 *
 * const app = closedApp();
 * const response = await app.fetch(new Request("http://localhost:9876/healthz"));
 * assertEquals(await response.text(), "ok\n");
 * ```
 */
export function closedApp(guard: Guard = viewerGuard()): {
  fetch(request: Request, info?: Partial<ConnectionInfo>): Promise<Response>;
} {
  const web = grpcWeb(undefined);
  return {
    async fetch(request, info = {}) {
      const refusal = guard.refuse(request);
      if (refusal !== undefined) return refusal;
      const called = web(request, info);
      if (called !== undefined) return await called;
      if (!["GET", "HEAD"].includes(request.method)) {
        return textResponse(405, "There is only GET and HEAD", { allow: "GET, HEAD" });
      }
      if (new URL(request.url).pathname === "/healthz") return textResponse(200, "ok");
      const text = "Nothing is kept for viewers: start Rerelay with --serve-web, or --serve-grpc";
      return textResponse(404, text);
    },
  };
}
