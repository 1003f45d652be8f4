import { assertEquals, assertLess } from "@std/assert";
import { describe, it } from "node:test";
import { mostReactions } from "../reactions.ts";
import { GrpcTables, type TableReader } from "../../lib/server/grpc_tables.ts";

describe("readers of tables", () => {
  it("are told to nobody once they have left, for nobody would be told of their end", async () => {
    const tables = new GrpcTables();
    tables.write({ id: "a", bytes: Uint8Array.of(1, 2, 3) });
    const life = new AbortController();
    const told: TableReader[] = [];
    const frames = tables.read(life.signal, (reader) => told.push(reader));
    assertEquals(told.length, 1);
    await frames.next();
    life.abort();
    assertEquals((await frames.next()).done, true);
    const late = tables.read(life.signal, (reader) => told.push(reader));
    assertEquals((await late.next()).done, true);
    assertEquals(told.length, 1);
  });

  it("leave nothing behind for each table that they waited for", async () => {
    const tables = new GrpcTables();
    const life = new AbortController();
    const frames = tables.read(life.signal);
    const most = await mostReactions(async () => {
      for (let i = 0; i < 100; i++) {
        const next = frames.next();
        await Promise.resolve();
        tables.write({ id: "a", bytes: Uint8Array.of(i) });
        assertEquals((await next).done, false);
      }
      const last = frames.next();
      life.abort();
      assertEquals((await last).done, true);
    });
    assertLess(most, 10);
  });
});
