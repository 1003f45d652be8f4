import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { GrpcError, STATUS } from "../../lib/comms/grpc/status.ts";
import { isRefusal, needsChange } from "../../lib/forward/grpc_refusal.ts";

const full = (text: string) => new GrpcError(STATUS.RESOURCE_EXHAUSTED, text);

describe("what a server answers by gRPC", () => {
  it("is a refusal where a message is too large, by the words of many libraries", () => {
    for (
      const text of [
        "Error, decoded message length too large: found 5 bytes, the limit is: 4 bytes",
        "grpc: received message larger than max (5 vs. 4)",
        "Received message larger than max (5 vs 4)",
        "gRPC message exceeds maximum size 4: 5",
      ]
    ) assertEquals([text, isRefusal(full(text))], [text, true]);
    for (const text of ["no room now", "too many requests", "the queue is full"]) {
      assertEquals([text, isRefusal(full(text))], [text, false]);
    }
    assertEquals(isRefusal(new Error("larger than max")), false);
  });

  it("needs a change where it is no such server, or lets nobody in", () => {
    const { UNIMPLEMENTED, UNAUTHENTICATED, PERMISSION_DENIED, UNAVAILABLE } = STATUS;
    const statuses = [UNIMPLEMENTED, UNAUTHENTICATED, PERMISSION_DENIED, UNAVAILABLE];
    const found = statuses.map((status) => needsChange(new GrpcError(status, "x")));
    assertEquals(found, [true, true, true, false]);
    assertEquals([needsChange(full("x")), needsChange(new Error("x"))], [false, false]);
  });
});
