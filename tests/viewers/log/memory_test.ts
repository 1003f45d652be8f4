import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { Memory } from "../../../lib/viewers/log/memory.ts";
import { chunk } from "../messages.ts";

describe("the memory of the log", () => {
  it("counts a buffer once, whoever uses it, and apart where only viewers do", () => {
    const memory = new Memory();
    const msg = chunk(1, 50_000);
    const { byteLength } = msg.encoded.bytes.buffer;
    const now = () => [memory.bytes, memory.pinned].map((bytes) => bytes / byteLength);
    memory.use(msg, "log");
    memory.use(msg, "form");
    memory.use(msg, "viewer");
    memory.use(msg, "viewer");
    assertEquals(now(), [1, 0]);
    memory.unuse(msg, "log");
    assertEquals(now(), [1, 1]);
    memory.unuse(msg, "viewer");
    memory.unuse(msg, "form");
    assertEquals(now(), [1, 1]);
    memory.unuse(msg, "viewer");
    assertEquals(now(), [0, 0]);
  });
});
