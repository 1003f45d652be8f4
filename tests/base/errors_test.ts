import { describe, it } from "node:test";
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { OPTION_TABLE } from "../../lib/cli/args/option_table.ts";
import * as errors from "../../lib/base/errors.ts";

describe("errors", () => {
  it("are told apart by class and by name, and keep their cause", () => {
    const cause = new Error("why");
    const error = new errors.TcpBindError("127.0.0.1:1", cause);
    assertInstanceOf(error, errors.RerelayError);
    assertInstanceOf(error, Error);
    assertEquals([error.name, error.cause, error.addr], ["TcpBindError", cause, "127.0.0.1:1"]);
  });

  it("name the option that changes the limit, and a flag that there is", () => {
    const flags = new Set((OPTION_TABLE as readonly { name: string }[]).map(({ name }) => name));
    const limits = [
      "maxMessagesPerPacket",
      "maxDepth",
      "maxEntries",
      "maxTextBytes",
      "maxLz4Ratio",
    ];
    const all = [
      ...limits.map((option) => [new errors.MessageLimit(2, 1, option, "things"), option] as const),
      [new errors.PacketTooLarge(2, 1), "maxPacketBytes"],
      [new errors.MessageTooLarge(2, 1), "maxMessageBytes"],
      [new errors.TooManyClients(1, "maxClients"), "maxClients"],
      [new errors.TooManyClients(1, "maxHandshakes"), "maxHandshakes"],
      [new errors.UnfinishedPacketsLimit(1), "maxUnfinishedBytes"],
      [new errors.ConnectsTooOften("10.0.0.1", 1), "maxConnectsPerSec"],
      [new errors.HandshakeTimeout(1, 10), "handshakeTimeoutSec"],
      [new errors.PacketTimeout(1, 60), "packetTimeoutSec"],
      [new errors.PacketTooSlow(1, 30, 1024), "minPacketBytesPerSec"],
      [new errors.IdleTimeout(60), "idleTimeoutSec"],
      [new errors.AddressNotAllowed("10.0.0.1"), "allow"],
      [new errors.TooManyOfAddress("10.0.0.1", 1), "maxConnectionsPerAddress"],
      [new errors.TooManyViewers(1), "maxViewers"],
      [new errors.CorruptArrow("It is damaged"), "onBadArrow"],
    ] as const;
    for (const [{ message }, option] of all) {
      const [, flag, named] = /\(--([a-z0-9-]+), option (\w+)\)$/.exec(message) ?? [];
      assertEquals(named, option);
      assert(flags.has(flag!), message);
    }
  });

  it("agree with their counts", () => {
    const texts = [
      [new errors.TooManyViewers(1), "No more than 1 viewer may read at once "],
      [new errors.TooManyViewers(2), "No more than 2 viewers may read at once "],
      [
        new errors.TooManyClients(1, "maxClients"),
        "No more than 1 client may be connected at once ",
      ],
      [
        new errors.TooManyClients(2, "maxHandshakes"),
        "No more than 2 connections may be without a handshake at once ",
      ],
      [new errors.TooManyOfAddress("::1", 1), "::1 has 1 connection already "],
      [new errors.ConnectsTooOften("::1", 1), "::1 connects more than 1 time a second "],
      [new errors.HandshakeTimeout(1, 10), "1 byte of the handshake came in 10 s "],
      [new errors.PacketTooLarge(2, 1), "A packet of 2 bytes is over the limit of 1 byte "],
      [new errors.TruncatedHandshake(1), "The connection ended after 1 byte, inside the handshake"],
      [new errors.TooManyOpenFiles(1, 64), "Closed 1 new connection at once: "],
    ] as const;
    for (const [{ message }, begins] of texts) assert(message.startsWith(begins), message);
  });

  it("blame another instance for a busy port alone", () => {
    const busy = [
      Object.assign(new Error("Address already in use (os error 98)"), { name: "AddrInUse" }),
      Object.assign(new Error("Failed to listen"), { code: "EADDRINUSE" }),
      "Address already in use",
    ];
    for (const cause of busy) {
      const { message } = new errors.TcpBindError("127.0.0.1:9876", cause);
      const text = 'Failed to bind TCP address "127.0.0.1:9876". ' +
        "Another Rerun instance is probably running. ";
      assert(message.startsWith(text), message);
    }
    const { message } = new errors.TcpBindError("10.0.0.1:9876", new Error("not available"));
    assertEquals(
      message,
      'Failed to bind TCP address "10.0.0.1:9876". Choose an address of this machine ' +
        "(--bind, option hostname) and a port that you may use. not available",
    );
  });

  it("say what was thrown on one line", () => {
    assertEquals(errors.reason(new Error("a\n  b\nc")), "a b c");
    assertEquals(errors.reason("text"), "text");
    assertEquals(errors.reason(undefined), "undefined");
  });
});
