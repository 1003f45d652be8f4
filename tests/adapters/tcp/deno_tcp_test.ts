import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { denoTcp } from "../../../lib/adapters/tcp/deno_tcp.ts";
import { detectRuntime } from "../../../lib/adapters/runtime.ts";
import { poolContract } from "../../contract/pool_contract.ts";
import { dialSystem } from "../../contract/tcp_clients.ts";
import { tcpContract } from "../../contract/tcp_contract.ts";
import { tcpSystemContract } from "../../contract/tcp_system_contract.ts";

if (detectRuntime() !== "deno") it.skip("denoTcp needs Deno");
else {
  describe("denoTcp", () => {
    tcpContract(denoTcp, dialSystem);
    tcpSystemContract(denoTcp);
    poolContract(denoTcp, dialSystem);

    it("says whether a read took all that it had memory for", async () => {
      const listener = await denoTcp.listen({ hostname: "127.0.0.1", port: 0 });
      const [connection, client] = await Promise.all([
        listener.accept(),
        dialSystem(listener.addr),
      ]);
      try {
        await client.write(new Uint8Array(600));
        const seen = [];
        for (let left = 600; left > 0;) {
          const { length } = (await connection!.read!())!;
          left -= length;
          seen.push([length, connection!.hasMore]);
        }
        assertEquals(seen, [[512, true], [88, false]]);
      } finally {
        connection?.close();
        listener.close();
        await client.closed;
      }
    });
  });
}
