import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { ClientFrames } from "../../../lib/comms/websocket/client_frames.ts";
import { clientFrame, unfinishedFrame } from "../../contract/http_clients.ts";

const [CONTINUATION, TEXT, PING] = [0, 1, 9];

describe("ClientFrames", () => {
  it("ignores any number of short messages, such as a page sends to stay connected", () => {
    const frames = new ClientFrames();
    const message = clientFrame(TEXT, new Uint8Array(1000));
    for (let i = 0; i < 200; i++) assertEquals(frames.push(message), { items: [] });
    const { items } = frames.push(clientFrame(PING, Uint8Array.of(7)));
    assertEquals(items, [{ opcode: PING, payload: Uint8Array.of(7) }]);
  });

  it("ends a connection for a message over 64 KiB, in however many frames it comes", () => {
    const frames = new ClientFrames();
    const ping = clientFrame(PING, new Uint8Array(0));
    assertEquals(frames.push(unfinishedFrame(TEXT, new Uint8Array(30_000))).error, undefined);
    for (const length of [30_000, 5536]) {
      // Control frames may come in between.
      assertEquals(frames.push(ping).items.length, 1);
      const part = unfinishedFrame(CONTINUATION, new Uint8Array(length));
      assertEquals(frames.push(part).error, undefined);
    }
    assertEquals(frames.push(clientFrame(CONTINUATION, new Uint8Array(1))).error, 1009);
  });
});
