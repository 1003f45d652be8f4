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
    memory.acquire(msg, "log");
    memory.acquire(msg, "form");
    memory.acquire(msg, "viewer");
    memory.acquire(msg, "viewer");
    assertEquals(now(), [1, 0]);
    memory.release(msg, "log");
    assertEquals(now(), [1, 1]);
    memory.release(msg, "viewer");
    memory.release(msg, "form");
    assertEquals(now(), [1, 1]);
    memory.release(msg, "viewer");
    assertEquals(now(), [0, 0]);
  });
});
