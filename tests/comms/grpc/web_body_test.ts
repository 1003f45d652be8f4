import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { GrpcError, STATUS, trailersOf } from "../../../lib/comms/grpc/status.ts";
import { corsHeaders, isGrpcWeb, webTrailers } from "../../../lib/comms/grpc/web_body.ts";

describe("gRPC-web", () => {
  it("is told by its content type", () => {
    const types: [string | null | undefined, boolean][] = [
      ["application/grpc-web+proto", true],
      ["application/grpc-web", true],
      ["Application/gRPC-Web+Proto; charset=utf-8", true],
      ["application/grpc-web-text", false],
      ["application/grpc-web-text+proto", false],
      ["application/grpc-web+json", false],
      ["application/grpc", false],
      ["text/plain", false],
      [null, false],
      [undefined, false],
    ];
    for (const [type, expected] of types) assertEquals(isGrpcWeb(type), expected, `${type}`);
  });

  it("ends with trailers in a frame of their own", () => {
    const text = (frame: Uint8Array) => {
      const length = new DataView(frame.buffer).getUint32(1);
      assertEquals([frame[0], length], [0x80, frame.length - 5]);
      return new TextDecoder().decode(frame.subarray(5));
    };
    assertEquals(text(webTrailers(trailersOf())), "grpc-status:0\r\n");
    assertEquals(
      text(
        webTrailers(trailersOf(new GrpcError(STATUS.UNAVAILABLE, "gone\r\ngrpc-status: 0, öl"))),
      ),
      "grpc-status:14\r\ngrpc-message:gone grpc-status: 0, %C3%B6l\r\n",
    );
  });

  it("lets pages of other origins call, as they ask", () => {
    const page = { origin: "https://app.rerun.io" };
    assertEquals(corsHeaders(new Headers()), {});
    assertEquals(corsHeaders(new Headers(page)), {
      "access-control-allow-origin": "https://app.rerun.io",
      "access-control-expose-headers": "grpc-status, grpc-message",
      "vary": "origin",
    });
    const asked = corsHeaders(
      new Headers({
        ...page,
        "access-control-request-method": "POST",
        "access-control-request-headers": "content-type,x-grpc-web,x-user-agent",
        "access-control-request-private-network": "true",
      }),
    );
    assertEquals(asked["access-control-allow-headers"], "content-type,x-grpc-web,x-user-agent");
    assertEquals(asked["access-control-allow-methods"], "POST");
    assertEquals(asked["access-control-allow-private-network"], "true");
    for (const hostile of ["x".repeat(2000), "a\tb: c", "<script>"]) {
      const headers = new Headers({
        ...page,
        "access-control-request-method": "POST",
        "access-control-request-headers": hostile,
      });
      assertEquals(corsHeaders(headers)["access-control-allow-headers"], undefined);
    }
  });
});
