/** What the {@linkcode TcpAdapter}s that use the system's TCP keep to besides. */
import { assert, assertEquals, assertLess, assertRejects, assertStringIncludes } from "@std/assert";
import { connect } from "node:net";
import { readFileSync } from "node:fs";
import process from "node:process";
import { describe, it } from "node:test";
import { TcpBindError } from "../../lib/base/errors.ts";
import type { TcpAdapter } from "../../lib/adapters/tcp/types.ts";
import { type Child, startChild } from "./child.ts";
import { joined, readBytes } from "./streams.ts";
import { dialSystem } from "./tcp_clients.ts";

const SLOW = { timeout: 60_000 };
const TOTAL = 500_000_000;

interface Counts {
  accepted: number;
  open: number;
  bytes: number;
  rejected: number;
  reason: string;
  /** Milliseconds since its start. */
  upMs: number;
  cpuMs: number;
}

export function tcpSystemContract(adapter: TcpAdapter): void {
  describe("the system's TCP", () => {
    for (const hostname of ["127.0.0.1", "0.0.0.0", "localhost", "::"]) {
      it(`listens on ${hostname}`, async () => {
        const listener = await adapter.listen({ hostname, port: 0 });
        assertEquals(listener.addr.hostname, hostname === "localhost" ? "127.0.0.1" : hostname);
        const client = await dialSystem({ ...listener.addr, hostname: "127.0.0.1" });
        const connection = await listener.accept();
        await client.write(Uint8Array.of(5));
        assertEquals(joined(await readBytes(connection!.readable, 1)), Uint8Array.of(5));
        connection!.close();
        listener.close();
      });
    }

    it("says so when the address is not of this machine", async () => {
      const addr = { hostname: "192.0.2.1", port: 9876 }; // RFC 5737: no machine's
      const error = await assertRejects(() => adapter.listen(addr), TcpBindError);
      assertStringIncludes(error.message, 'Failed to bind TCP address "192.0.2.1:9876". ');
      assert(/requested address|EADDRNOTAVAIL/.test(error.message), error.message);
    });

    it("says so when the name is nobody's", async () => {
      const addr = { hostname: "nobody.invalid", port: 9876 }; // RFC 2606
      const error = await assertRejects(() => adapter.listen(addr), TcpBindError);
      assertEquals(error.addr, "nobody.invalid:9876");
    });

    it("holds back a sender whose receiver stops, and needs little memory", SLOW, async () => {
      // On a busy machine the collector's own thread may come late: a queue that grows shows thrice.
      const grownKiB: number[] = [];
      do grownKiB.push(await receiveWithStop()); while (
        grownKiB.at(-1)! >= 64 * 1024 && grownKiB.length < 3
      );
      assertLess(Math.min(...grownKiB), 64 * 1024);
    });

    it("keeps connections alive by TCP, so that dead peers are found", {
      skip: process.platform !== "linux" && "timers are shown on Linux only",
    }, async () => {
      const listener = await adapter.listen({ hostname: "127.0.0.1", port: 0 });
      const client = await dialSystem(listener.addr);
      const connection = await listener.accept();
      const hex = (port: number) => port.toString(16).toUpperCase().padStart(4, "0");
      const ends = `0100007F:${hex(listener.addr.port)} 0100007F:${hex(client.localAddr.port)}`;
      const line = readFileSync("/proc/net/tcp", "utf8").split("\n").find((l) => l.includes(ends));
      // State, queues, then the timer: 2 is that of keep-alive.
      assert(/ 01 [\dA-F]+:[\dA-F]+ 02:/.test(line!), line);
      client.reset();
      connection!.close();
      listener.close();
    });

    for (const hostname of ["127.0.0.1", "::"]) {
      it(`tells what the system holds for a peer that does not read, at ${hostname}`, {
        ...SLOW,
        skip: process.platform !== "linux" && "only Linux tells",
      }, async () => {
        const listener = await adapter.listen({ hostname, port: 0 });
        // Nobody listens to what it reads, so it reads little.
        const client = connect(listener.addr.port, "127.0.0.1");
        const connection = (await listener.accept())!;
        assertEquals(await connection.unsentBytes!(), 0);
        const writing = connection.write(new Uint8Array(20_000_000));
        while ((await connection.unsentBytes!())! < 100_000);
        client.resume();
        await writing;
        while (await connection.unsentBytes!() !== 0);
        client.destroy();
        connection.close();
        listener.close();
      });
    }

    const noLimit = process.platform === "win32" && "Windows has no such limit";
    it("lives on at the limit of open files", { ...SLOW, skip: noLimit }, async () => {
      const child = startChild(new URL("accept_child.ts", import.meta.url), [], 64);
      try {
        const { port } = await child.next<{ port: number }>();
        const crowd = Array.from({ length: 100 }, () => connect(port, "127.0.0.1"));
        for (const socket of crowd) socket.on("error", () => {}); // some are refused
        const full = await until(child, (counts) => counts.rejected > 0);
        assertLess(full.open, 64);
        assert(/open files|files and sockets open/i.test(full.reason), full.reason);
        // Half a second after its start Deno needs a descriptor, or has taken it before.
        const after = await until(child, ({ upMs }) => upMs > Math.max(700, full.upMs + 300));
        assertLess(after.cpuMs - full.cpuMs, (after.upMs - full.upMs) / 2);
        assertLess(after.rejected, 100);
        for (const socket of crowd) socket.destroy();
        await until(child, (counts) => counts.open === 0);
        const late = await dialSystem({ hostname: "127.0.0.1", port });
        await late.write(new Uint8Array(1234));
        await until(child, (counts) => counts.open === 1 && counts.bytes === 1234);
        late.reset();
      } finally {
        await child.stop();
      }
    });
  });
}

/** Sends all to a child that stops for a while; tells how much its peak memory has grown. */
async function receiveWithStop(): Promise<number> {
  const child = startChild(new URL("receive_child.ts", import.meta.url), []);
  try {
    const { port } = await child.next<{ port: number }>();
    const client = await dialSystem({ hostname: "127.0.0.1", port });
    let sent = 0;
    const sending = (async () => {
      const piece = new Uint8Array(500_000);
      for (; sent < TOTAL; sent += piece.length) await client.write(piece);
      await client.end();
    })();
    const stopped = await child.next<{ bytes: number }>();
    await standsStill(() => sent);
    // Between the two are only the buffers of the two sockets and one chunk.
    assertLess(sent, stopped.bytes + 64 * 2 ** 20);
    child.tell("go on");
    await sending;
    const { bytes, grownKiB } = await child.next<{ bytes: number; grownKiB: number }>();
    assertEquals(bytes, TOTAL);
    return grownKiB;
  } finally {
    await child.stop();
  }
}

function ask(child: Child): Promise<Counts> {
  child.tell("counts?");
  return child.next<Counts>();
}

async function until(child: Child, condition: (counts: Counts) => boolean): Promise<Counts> {
  for (;;) {
    const counts = await ask(child);
    if (condition(counts)) return counts;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function standsStill(count: () => number): Promise<void> {
  for (let last = -1, same = 0; same < 10;) {
    await new Promise((resolve) => setTimeout(resolve, 30));
    same = count() === last ? same + 1 : 0;
    last = count();
  }
}
