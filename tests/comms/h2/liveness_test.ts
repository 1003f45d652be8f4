import { describe, it } from "node:test";
import { assertEquals, assertInstanceOf } from "@std/assert";
import { PeerSilent } from "../../../lib/comms/h2/error_codes.ts";
import { HandshakeTimeout } from "../../../lib/base/errors.ts";
import type { H2Options } from "../../../lib/comms/h2/types.ts";
import { TestServer } from "./server.ts";
import { bytes, frame, frames, goAway, hello, REQUEST, u32 } from "./wire.ts";

/** A server that is looked at each second, and the seconds at which it sent a PING or ended. */
class Watched extends TestServer {
  readonly seen: string[] = [];

  constructor(options: H2Options = {}) {
    super(options);
    this.push(hello());
  }

  /** Lets seconds pass. */
  wait(seconds: number): void {
    for (let i = 0; i < seconds && !this.h2.isClosed; i++) {
      this.time += 1000;
      this.look();
    }
  }

  look(): void {
    this.h2.tick();
    const at = this.time / 1000;
    if (frames(this.sent()).some(({ type, flags }) => type === 6 && flags === 0)) {
      this.seen.push(`PING at ${at}`);
    }
    if (this.h2.isClosed) this.seen.push(`closed at ${at}`);
  }
}

const OPEN = frame(1, 4, 1, REQUEST);
const ACK = frame(6, 1, 0, new Uint8Array(8));

describe("a connection's deadlines", () => {
  it("give a client 10 s for its first stream, whatever else it says", () => {
    const server = new Watched();
    server.wait(6);
    server.push(frame(6, 0, 0, bytes("12345678")));
    server.wait(6);
    assertEquals(server.seen, ["closed at 10"]);
    assertInstanceOf(server.h2.error, HandshakeTimeout);
  });

  it("let a connection be without streams for 60 s, then say goodbye", () => {
    const server = new Watched();
    server.push(OPEN, frame(3, 0, 1, u32(8)));
    for (let i = 0; i < 12; i++) {
      server.wait(6);
      server.push(ACK);
    }
    assertEquals(server.seen, ["closed at 60"]);
    assertEquals(server.h2.error, undefined);
  });

  it("let an open stream be silent for as long as PINGs are answered", () => {
    const server = new Watched();
    server.push(OPEN);
    for (let i = 0; i < 6; i++) {
      server.wait(25);
      server.push(ACK);
    }
    assertEquals(server.seen.length, 6);
    assertEquals(server.h2.isClosed, false);
  });

  it("end a peer that answers no PING, after 20 s and 10 s", () => {
    const server = new Watched();
    server.push(OPEN);
    server.wait(100);
    // The first second was heard in; the last one is for what came by then to be read.
    assertEquals(server.seen, ["PING at 21", "closed at 32"]);
    assertInstanceOf(server.h2.error, PeerSilent);
    assertEquals(server.events, [[`gone 8: ${server.h2.error.message}`]]);
  });

  it("count any bytes as life, such as the middle of a long frame", () => {
    const server = new Watched();
    server.push(OPEN, frame(0, 0, 1, new Uint8Array(100_000)).subarray(0, 100));
    server.wait(25);
    for (let i = 0; i < 10; i++) {
      server.push(new Uint8Array(100));
      server.wait(9);
    }
    assertEquals(server.h2.isClosed, false);
  });

  it("do not count the time in which we were frozen", () => {
    const server = new Watched();
    server.push(OPEN);
    server.wait(29);
    assertEquals(server.seen, ["PING at 21"]);
    server.time += 3_600_000;
    server.look();
    server.look();
    assertEquals(server.h2.isClosed, false);
    // What came meanwhile is read now.
    server.push(ACK);
    server.wait(10);
    assertEquals(server.h2.isClosed, false);
  });

  it("read before they judge", () => {
    const server = new Watched();
    server.push(OPEN);
    server.wait(31);
    assertEquals(server.h2.isClosed, false);
    server.push(ACK);
    server.wait(15);
    assertEquals(server.h2.isClosed, false);
  });

  it("are told to the peer", () => {
    const server = new TestServer();
    for (let i = 0; i < 10; i++) {
      server.time += 1000;
      server.h2.tick();
    }
    const { code, text } = goAway(server.sent())!;
    assertEquals([code, text.includes("handshake")], ["CANCEL", true]);
  });
});
