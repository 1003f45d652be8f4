import { assertEquals } from "@std/assert";
import process from "node:process";
import { describe, it } from "node:test";
import { loadFileAdapter, loadTcpAdapter } from "../../lib/adapters/load.ts";

describe("loading adapters", () => {
  it("gives this runtime's TCP", async () => {
    const listener = await (await loadTcpAdapter()).listen({ hostname: "127.0.0.1", port: 0 });
    assertEquals(listener.addr.port > 0, true);
    listener.close();
  });

  it("gives this runtime's files", async () => {
    assertEquals(await (await loadFileAdapter()).kind(process.execPath) !== undefined, true);
  });
});
