import { describe, it } from "node:test";
import { assertEquals, assertInstanceOf } from "@std/assert";
import { overdue, type Waiting } from "../../lib/comms/patience.ts";
import { HandshakeTimeout, IdleTimeout, PacketTimeout } from "../../lib/errors.ts";

const options = { handshakeTimeoutSec: 10, packetTimeoutSec: 60, idleTimeoutSec: Infinity };
const waiting = (where: Waiting["where"], waitedSec: number, silentSec: number, bytes: number) => ({
  where,
  waitedMs: waitedSec * 1000,
  silentMs: silentSec * 1000,
  bytes,
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

  it("wants 1 KiB/s inside a packet after 30 s of waiting", () => {
    assertEquals(overdue(waiting("packet", 30, 1, 30), options), undefined);
    assertInstanceOf(overdue(waiting("packet", 31, 1, 31), options), PacketTimeout);
    assertEquals(overdue(waiting("packet", 31, 1, 31 * 1024), options), undefined);
    assertInstanceOf(overdue(waiting("packet", 3000, 1, 2999 * 1024), options), PacketTimeout);
  });
});
