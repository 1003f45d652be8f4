import { describe, it } from "node:test";
import { assertEquals, assertInstanceOf } from "@std/assert";
import { credit, overdue, type Waiting } from "../../../lib/comms/sdk/patience.ts";
import {
  HandshakeTimeout,
  IdleTimeout,
  PacketTimeout,
  PacketTooSlow,
} from "../../../lib/base/errors.ts";

const options = {
  handshakeTimeoutSec: 10,
  packetTimeoutSec: 60,
  idleTimeoutSec: Infinity,
  minPacketBytesPerSec: 1024,
};
const waiting = (where: Waiting["where"], waitedSec: number, silentSec: number, bytes: number) => ({
  where,
  waitedMs: waitedSec * 1000,
  silentMs: silentSec * 1000,
  bytes,
  creditMs: 1,
});

describe("overdue", () => {
  it("gives the handshake 10 s in all, however the bytes trickle", () => {
    assertEquals(overdue(waiting("handshake", 9.9, 9.9, 0), options), undefined);
    const error = overdue(waiting("handshake", 10, 0.1, 6), options);
    assertInstanceOf(error, HandshakeTimeout);
    assertEquals(
      error.message,
      "6 bytes of the handshake came in 10 s (--handshake-timeout, option handshakeTimeoutSec)",
    );
  });

  it("lets a client pause between packets, unless an idle timeout is set", () => {
    assertEquals(overdue(waiting("between", 1e6, 1e6, 0), options), undefined);
    const strict = { ...options, idleTimeoutSec: 5 };
    assertEquals(overdue(waiting("between", 1e6, 4.9, 0), strict), undefined);
    assertInstanceOf(overdue(waiting("between", 5, 5, 0), strict), IdleTimeout);
  });

  it("ends 60 s without a byte inside a packet", () => {
    assertEquals(overdue(waiting("packet", 59.9, 59.9, 1e6), options), undefined);
    assertInstanceOf(overdue(waiting("packet", 60, 60, 1e6), options), PacketTimeout);
  });

  it("ends whoever has used up its credit inside a packet", () => {
    const slow = { ...waiting("packet", 31, 1, 31), creditMs: -1 };
    const error = overdue(slow, options);
    assertInstanceOf(error, PacketTooSlow);
    assertEquals(
      error.message,
      "31 bytes of a packet came in 31 s of waiting, slower than 1024 bytes a second " +
        "(--min-packet-rate, option minPacketBytesPerSec)",
    );
    for (const where of ["handshake", "between"] as const) {
      assertEquals(overdue({ ...slow, where, waitedMs: 1 }, options), undefined);
    }
  });
});

describe("credit", () => {
  it("is 30 s, and a second for each KiB, but no more than one deadline", () => {
    assertEquals(credit(0, options), 30_000);
    assertEquals(credit(10 * 1024, options), 40_000);
    assertEquals(credit(2 ** 30, options), 60_000);
    assertEquals(credit(1024, options, -500), 500);
    assertEquals(credit(0, { ...options, packetTimeoutSec: 1 }), 30_000);
    assertEquals(credit(2 ** 30, { ...options, packetTimeoutSec: 600 }), 600_000);
  });
});
