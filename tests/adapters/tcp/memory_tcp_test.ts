import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { describe, it } from "node:test";
import { memoryTcp } from "../../../lib/adapters/tcp/memory_tcp.ts";
import { dialMemory } from "../../contract/tcp_clients.ts";
import { tcpContract } from "../../contract/tcp_contract.ts";

const net = memoryTcp();

describe("memoryTcp", () => {
  tcpContract(net, dialMemory(net));

  it("refuses clients where nothing listens", () => {
    assertThrows(() => memoryTcp().connect(), Error, "Connection refused");
    assertThrows(() => net.connect(1), Error, "nothing listens on port 1");
  });

  it("takes one write ahead of the reader, and no more", async () => {
    const net = memoryTcp();
    const listener = await net.listen({ hostname: "127.0.0.1", port: 9876 });
    const writer = net.connect().writable.getWriter();
    const connection = await listener.accept();
    const done: number[] = [];
    const writes = [1, 2, 3].map((n) => writer.write(Uint8Array.of(n)).then(() => done.push(n)));
    const reader = connection!.readable.getReader();
    await writes[0];
    assertEquals(done, [1]);
    assertEquals((await reader.read()).value, Uint8Array.of(1));
    await writes[1];
    assertEquals(done, [1, 2]);
    connection!.close();
    await assertRejects(() => writes[2]!, Error, "Broken pipe");
  });

  it("copies what is written", async () => {
    const net = memoryTcp();
    const listener = await net.listen({ hostname: "127.0.0.1", port: 0 });
    const writer = net.connect(listener.addr.port).writable.getWriter();
    const bytes = Uint8Array.of(7);
    await writer.write(bytes);
    bytes[0] = 8;
    const connection = await listener.accept();
    assertEquals((await connection!.readable.getReader().read()).value, Uint8Array.of(7));
  });
});
