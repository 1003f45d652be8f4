import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { checkHealth } from "../../../lib/comms/grpc/health.ts";
import { GrpcError } from "../../../lib/comms/grpc/status.ts";
import { InvalidMessage } from "../../../lib/base/errors.ts";
import { textField } from "./frames.ts";

describe("the health service", () => {
  it("says whether calls are taken, of the server and of each service", () => {
    for (
      const request of [
        new Uint8Array(),
        textField(1, "rerun.sdk_comms.v1alpha1.MessageProxyService"),
        textField(1, "rerun.sdk_comms.v0.MessageProxy"),
      ]
    ) {
      assertEquals(checkHealth(request, true), Uint8Array.of(8, 1));
      assertEquals(checkHealth(request, false), Uint8Array.of(8, 2));
    }
  });

  it("knows no others", () => {
    const error = assertThrows(() => checkHealth(textField(1, "x"), true), GrpcError);
    assertEquals([error.status, error.message], [5, "There is no service x"]);
    assertThrows(() => checkHealth(Uint8Array.of(10, 9), true), InvalidMessage);
  });
});
