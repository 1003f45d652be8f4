import { describe, it } from "node:test";
import { assertEquals, assertThrows } from "@std/assert";
import { filterSink, type Sink } from "../../lib/sinks/mod.ts";
import type { SmartMessage } from "../../lib/flow/channel/smart_message.ts";
import { recorded } from "../encoding/chunks/recorded.ts";

describe("filterSink", () => {
  it("hands on what passes, each quit, and all that is said of the sink", async () => {
    const got: string[] = [];
    let closed = 0;
    const inner: Sink = {
      ...{ name: "inner", failed: true, lost: { messages: 1, bytes: 2 } },
      write: (batch) => void got.push(...batch.map(({ payload }) => payload.type)),
      close: () => Promise.resolve(void closed++),
    };
    const sink = filterSink((msg, { id }) => msg.kind === "ArrowMsg" && id === 1, inner);
    assertEquals([sink.name, sink.failed, sink.lost], ["inner", true, { messages: 1, bytes: 2 }]);
    const messages = recorded("0.22.1-mixed");
    const [info, chunk] = ["SetStoreInfo", "ArrowMsg"].map((kind) =>
      messages.find((msg) => msg.kind === kind)
    );
    const of = (id: number, msg = chunk!): SmartMessage => ({
      ...{ source: { kind: "tcp-client", id }, time: 0, payload: { type: "msg", msg } },
    });
    const quit: SmartMessage = {
      ...{ source: { kind: "tcp-client", id: 2 }, time: 0, payload: { type: "quit" } },
    };
    await sink.write([of(1, info), of(1), of(2), quit]);
    assertEquals(got, ["msg", "quit"]);
    await sink.write([of(2)]);
    assertEquals(got.length, 2);
    await sink.close();
    assertEquals(closed, 1);
  });

  it("refuses a predicate that is asynchronous, which would let all pass", () => {
    const inner: Sink = { name: "inner", write: () => {}, close: () => Promise.resolve() };
    const sink = filterSink((() => Promise.resolve(false)) as never, inner);
    const [msg] = recorded("0.22.1-mixed");
    const payload = { type: "msg" as const, msg: msg! };
    assertThrows(
      () => sink.write([{ source: { kind: "tcp-client", id: 1 }, time: 0, payload }]),
      TypeError,
      "filterSink needs a function that gives true or false at once, not a promise",
    );
  });
});
