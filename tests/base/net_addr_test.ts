import { assertEquals } from "@std/assert";
import { it } from "node:test";
import { formatAddr } from "../../lib/base/net_addr.ts";

it("writes addresses as hostname:port, IPv6 in brackets", () => {
  assertEquals(formatAddr({ hostname: "localhost", port: 9876 }), "localhost:9876");
  assertEquals(formatAddr({ hostname: "::1", port: 9876 }), "[::1]:9876");
});
