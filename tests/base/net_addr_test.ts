import { assertEquals } from "@std/assert";
import { it } from "node:test";
import { formatAddr, isLoopback, withoutZone } from "../../lib/base/net_addr.ts";

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

it("tells what only this machine reaches", () => {
  const loopback = [
    ...["127.0.0.1", "127.3.2.1", "127.255.255.255", "127.1", "2130706433", "0x7f.1"],
    ...["::1", "[::1]", "0:0:0:0:0:0:0:1", "::0001", "::1%lo", "[::1%25lo]"],
    ...["::ffff:127.0.0.1", "[::ffff:127.9.9.9]", "::FFFF:7f00:1", "0:0:0:0:0:ffff:127.0.0.1"],
    ...["localhost", "LOCALHOST", "localhost.", "page.localhost", "a.b.localhost"],
  ];
  for (const hostname of loopback) assertEquals(isLoopback(hostname), true, hostname);
  const others = [
    ...["0.0.0.0", "128.0.0.1", "126.255.255.255", "10.0.0.1", "1270.0.0.1", "12.7.0.1"],
    ...["127.evil.example", "127.0.0.1.evil.example", "127.", "x127.0.0.1", "127.0.0.1:80"],
    ...[
      "::",
      "::2",
      "::1:1",
      "[::1]:80",
      "fe80::1%lo",
      "::127.0.0.1",
      "::ffff:10.0.0.1",
      "::ffff:128.0.0.1",
    ],
    ...["localhost.evil.example", "notlocalhost", ".localhost.", "localhost:80", "[localhost]"],
    ...["", "x@localhost", "localhost/x", "evil.example/localhost", "localhost?x", " localhost"],
  ];
  for (const hostname of others) assertEquals(isLoopback(hostname), false, hostname);
});
