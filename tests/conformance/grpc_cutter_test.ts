import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { callBody, framesOf } from "../comms/grpc/frames.ts";
import { frame, hello, REQUEST } from "../comms/h2/wire.ts";
import { concat } from "../encoding/rrd_builder.ts";
import { fixture } from "../fixtures.ts";
import { checkSame, cutCalls, cutProtobufFile } from "./grpc_cutter.ts";

/** A connection with one call, its body in frames of so many bytes. */
function connection(size: number, body = callBody("0.41.0")) {
  const parts = [hello(), frame(1, 4, 1, REQUEST), frame(8, 0, 0, new Uint8Array(4))];
  for (let at = 0; at < body.length; at += size) {
    parts.push(frame(0, 0, 1, body.subarray(at, at + size)));
  }
  return concat(...parts, frame(0, 1, 1));
}

describe("the check of what came by gRPC", () => {
  it("finds the messages of a call, whatever frames they came in", () => {
    const count = framesOf(callBody("0.41.0")).length;
    for (const size of [100, 4096, 1_000_000]) {
      const [call, ...others] = cutCalls(connection(size));
      assertEquals([call!.messages.length, call!.rest, call!.hasEnded], [count, 0, true]);
      assertEquals(others, []);
    }
    const cut = connection(4096, callBody("0.41.0").slice(0, -7)).subarray(0, -9);
    const [call] = cutCalls(cut);
    assertEquals([call!.messages.length, call!.hasEnded], [count - 1, false]);
    assertThrows(() => cutCalls(new Uint8Array(99)), Error, "HTTP/2");
  });

  it("reads files in protobuf up to their end, and misses it", () => {
    const file = fixture("encodings/0.22.1-mixed-protobuf-lz4.rrd");
    const messages = cutProtobufFile(file);
    assertEquals(messages.length > 10, true);
    checkSame(messages, messages);
    assertThrows(() => cutProtobufFile(file.subarray(0, -16)), Error, "no end marker");
    assertThrows(() => cutProtobufFile(file.subarray(0, -30)), Error, "short");
    assertThrows(() => cutProtobufFile(fixture("encodings/0.22.1-mixed-msgpack-off.rrd")), Error);
  });

  it("sees a message that is missing, is another, or is in another place", () => {
    const [{ messages }] = cutCalls(connection(4096)) as [ReturnType<typeof cutCalls>[0]];
    checkSame(messages, messages);
    const changed = messages.map(({ kind, bytes }) => ({ kind, bytes: bytes.slice() }));
    changed[3]!.bytes[9]! ^= 1;
    const swapped = [...messages.slice(0, -2), messages.at(-1)!, messages.at(-2)!];
    for (const saved of [messages.slice(1), messages.slice(0, -1), changed, swapped]) {
      assertThrows(() => checkSame(saved, messages), Error);
    }
  });
});
