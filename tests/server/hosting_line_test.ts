import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { hostingLine } from "../../lib/server/hosting_line.ts";

describe("the line of an open port", () => {
  it("says how each generation of SDKs connects", () => {
    assertEquals(
      hostingLine({ hostname: "192.0.2.1", port: 9876 }),
      "Hosting a SDK server over TCP at 192.0.2.1:9876. Connect with the Rerun logging SDK. " +
        'From 0.23 on: rr.connect_grpc("rerun+http://192.0.2.1:9876/proxy"); ' +
        'before: rr.connect_tcp("192.0.2.1:9876")',
    );
  });

  it("names no address to connect to where it listens at all: that would be the other machine's own", () => {
    for (const [hostname, text] of [["0.0.0.0", "0.0.0.0:9876"], ["::", "[::]:9876"]] as const) {
      assertEquals(
        hostingLine({ hostname, port: 9876 }),
        `Hosting a SDK server over TCP at ${text}. Connect with the Rerun logging SDK. ` +
          'From 0.23 on: rr.connect_grpc("rerun+http://HOST:9876/proxy"); ' +
          'before: rr.connect_tcp("HOST:9876"); HOST is this machine, as the program that logs reaches it',
      );
    }
  });
});
