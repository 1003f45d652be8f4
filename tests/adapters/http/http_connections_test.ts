import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { EventEmitter, once } from "node:events";
import type { Socket } from "node:net";
import { HttpConnections } from "../../../lib/adapters/http/_http_connections.ts";

class FakeSocket extends EventEmitter {
  destroyed = false;

  destroy(): void {
    this.destroyed = true;
    this.emit("close");
  }
}

/** As a program that was stopped: no timer runs meanwhile. */
function freeze(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

describe("HttpConnections after the program stood still", () => {
  it("hears what was asked meanwhile before it closes whoever is late", () => hears(1100));

  it("hears it after a moment as well", () => hears(60));

  /** Stands still for so long. */
  async function hears(ms: number): Promise<void> {
    const connections = new HttpConnections({ handshakeTimeoutSec: 0.01, maxConnections: 9 });
    const [silent, asking] = [new FakeSocket(), new FakeSocket()];
    connections.add(silent as unknown as Socket);
    connections.add(asking as unknown as Socket);
    freeze(ms);
    // Timers come before sockets.
    await new Promise((resolve) => setTimeout(resolve, 20));
    assertEquals([silent.destroyed, asking.destroyed], [false, false]);
    connections.asked(asking as unknown as Socket);
    await once(silent, "close");
    assertEquals(asking.destroyed, false);
    connections.destroy();
  }
});
