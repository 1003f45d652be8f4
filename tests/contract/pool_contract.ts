/** What a {@linkcode TcpAdapter} keeps to that reads into memory that is used again. */
import { assert, assertEquals } from "@std/assert";
import { it } from "node:test";
import type { TcpAdapter } from "../../lib/adapters/tcp/types.ts";
import { BufferPool, isReused } from "../../lib/memory/buffer_pool.ts";
import { seeded } from "../random.ts";
import { randomBytes } from "./streams.ts";
import type { Dial } from "./tcp_clients.ts";

/** Remembers the buffers that it handed out. */
class WatchedPool extends BufferPool {
  readonly taken = new Set<ArrayBufferLike>();

  override take(bytes: number): Uint8Array<ArrayBuffer> {
    const space = super.take(bytes);
    if (isReused(space)) this.taken.add(space.buffer);
    return space;
  }
}

export function poolContract(adapter: TcpAdapter, dial: Dial): void {
  it("holds none of the pool's buffers while it waits for bytes", async () => {
    const listener = await adapter.listen({ hostname: "127.0.0.1", port: 0 });
    const [connection, client] = await Promise.all([listener.accept(), dial(listener.addr)]);
    try {
      assert(connection?.usePool && connection.read);
      const pool = new WatchedPool();
      connection.usePool(pool);
      const sent = randomBytes(2_000_000, seeded(9));
      const sending = client.write(sent);
      for (let at = 0; at < sent.length;) at += (await connection.read())!.length;
      await sending;
      // The last read filled its buffer, perhaps; this one does not.
      await client.write(Uint8Array.of(1));
      assertEquals((await connection.read())!.length, 1);
      const waiting = connection.read();
      const taken = [...pool.taken].reduce((sum, { byteLength }) => sum + byteLength, 0);
      assertEquals(pool.freeBytes, taken);
      connection.close();
      await waiting;
    } finally {
      connection?.close();
      listener.close();
      await client.closed;
    }
  });
}
