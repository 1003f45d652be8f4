import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { allowList } from "../../lib/server/allow_list.ts";

describe("allowList", () => {
  it("matches addresses and networks of both families", () => {
    const isAllowed = allowList(["10.0.0.0/8", "192.168.1.7", "fd00::/8", "::1"]);
    const cases: [string, boolean][] = [
      ["10.0.0.0", true],
      ["10.255.255.255", true],
      ["11.0.0.0", false],
      ["9.255.255.255", false],
      ["192.168.1.7", true],
      ["192.168.1.8", false],
      ["fdff:ffff::1", true],
      ["fe00::1", false],
      ["::1", true],
      ["0:0:0:0:0:0:0:1", true],
      ["::2", false],
      ["127.0.0.1", false],
      // As a socket that takes both families tells IPv4.
      ["::ffff:10.1.2.3", true],
      ["::ffff:a01:203", true],
      ["::ffff:11.1.2.3", false],
      // IPv6 addresses of one link.
      ["fd00::1%eth0", true],
      ["fe80::1%eth0", false],
      ["", false],
      ["localhost", false],
      ["10.1", false],
      ["010.1.2.3", false],
    ];
    for (const [hostname, expected] of cases) assertEquals(isAllowed(hostname), expected, hostname);
  });

  it("takes mapped addresses for IPv4, whole families, and bits behind the network", () => {
    assertEquals(allowList(["::ffff:10.0.0.0/104"])("10.9.9.9"), true);
    assertEquals(allowList(["::ffff:10.0.0.0/104"])("11.9.9.9"), false);
    assertEquals(allowList(["0.0.0.0/0"])("8.8.8.8"), true);
    assertEquals(allowList(["0.0.0.0/0"])("::1"), false);
    assertEquals(allowList(["::/0"])("::1"), true);
    assertEquals(allowList(["10.1.2.3/8"])("10.200.0.1"), true);
    assertEquals(allowList(["10.0.0.0/9"])("10.128.0.0"), false);
  });

  it("refuses what is none, and says what it expects", () => {
    const wrong = [
      "",
      "10.0.0.0/33",
      "::/129",
      "10.0.0.0/",
      "10.0.0/8",
      "10",
      "0x0a.0.0.1",
      "::ffff:10.0.0.0/95",
      "fe80::1%eth0",
      "localhost",
      "10.0.0.0/8/8",
      "10.0.0.0/-1",
      "\x1b[2J",
    ];
    for (const entry of wrong) {
      const { message } = assertThrows(() => allowList([entry]), RangeError, "expected such as");
      // deno-lint-ignore no-control-regex
      assertEquals(/[\0-\x1f]/.test(message), false);
    }
  });
});
