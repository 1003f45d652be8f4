import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { bunTcp } from "../../../lib/adapters/tcp/bun_tcp.ts";
import { detectRuntime } from "../../../lib/adapters/runtime.ts";
import { BufferPool, isReused } from "../../../lib/memory/buffer_pool.ts";
import { poolContract } from "../../contract/pool_contract.ts";
import { dialSystem } from "../../contract/tcp_clients.ts";
import { tcpContract } from "../../contract/tcp_contract.ts";
import { tcpSystemContract } from "../../contract/tcp_system_contract.ts";

if (detectRuntime() !== "bun") it.skip("bunTcp needs Bun");
else {
  describe("bunTcp", () => {
    tcpContract(bunTcp, dialSystem);
    tcpSystemContract(bunTcp);
    poolContract(bunTcp, dialSystem);

    it("holds a read that is under way back, and lets it go on", async () => {
      const listener = await bunTcp.listen({ hostname: "127.0.0.1", port: 0 });
      const [connection, client] = await Promise.all([
        listener.accept(),
        dialSystem(listener.addr),
      ]);
      try {
        let came = 0;
        connection!.read!().then((bytes) => came = bytes!.length);
        connection!.holdReading!(true);
        await client.write(Uint8Array.of(1, 2, 3));
        // What was sent to another connection later has come by then.
        const [other, second] = await Promise.all([listener.accept(), dialSystem(listener.addr)]);
        await second.write(Uint8Array.of(1));
        await other!.read!();
        assertEquals(came, 0);
        connection!.holdReading!(false);
        while (came === 0) await new Promise((resolve) => setTimeout(resolve, 1));
        assertEquals(came, 3);
        // A read that begins while it is held waits as well.
        connection!.holdReading!(true);
        const read = connection!.read!();
        await client.write(Uint8Array.of(4));
        connection!.holdReading!(false);
        assertEquals(await read, Uint8Array.of(4));
        other!.close();
      } finally {
        connection?.close();
        listener.close();
        await client.closed;
      }
    });

    it("gives back the memory of a large chunk, where it is short, when it is read on and nobody uses it", async () => {
      const listener = await bunTcp.listen({ hostname: "127.0.0.1", port: 0 });
      const [connection, client] = await Promise.all([
        listener.accept(),
        dialSystem(listener.addr),
      ]);
      try {
        const pool = new BufferPool();
        pool.isTight = true;
        connection!.usePool!(pool);
        for (const isUsed of [false, true]) {
          await client.write(new Uint8Array(400_001));
          const large: Uint8Array[] = [];
          for (let left = 400_001; left > 0;) {
            const chunk = (await connection!.read!())!;
            left -= chunk.length;
            const isOwn = chunk.buffer.byteLength % 4096 !== 0 && isReused(chunk);
            if (isUsed) pool.acquire([chunk.buffer]);
            if (isOwn) large.push(chunk);
          }
          await client.write(Uint8Array.of(1));
          await connection!.read!();
          assert(large.length > 0);
          assertEquals(large.some(({ length }) => length === 0), !isUsed);
        }
      } finally {
        connection?.close();
        listener.close();
        await client.closed;
      }
    });
  });
}
