import { assertEquals } from "@std/assert";
import { it } from "node:test";
import { formatAddr, withoutZone } from "../../lib/base/net_addr.ts";

it("writes addresses as hostname:port, IPv6 in brackets", () => {
  assertEquals(formatAddr({ hostname: "localhost", port: 9876 }), "localhost:9876");
  assertEquals(formatAddr({ hostname: "::1", port: 9876 }), "[::1]:9876");
});

it("leaves the zone of an IPv6 address away, and nothing else", () => {
  for (
    const [host, expected] of [
      ["fe80::1%eth0", "fe80::1"],
      ["[FE80::1%25eth0.5]:90", "[FE80::1]:90"],
      ["::ffff:1.2.3.4%2", "::ffff:1.2.3.4"],
      ["::1", "::1"],
      ["a%b", "a%b"],
      ["localhost:90", "localhost:90"],
    ] as const
  ) {
    assertEquals(withoutZone(host), expected);
  }
});
