import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { GrpcError } from "../../../lib/comms/grpc/status.ts";
import { WriteClient } from "../../../lib/comms/grpc/write_client.ts";
import { concat } from "../../encoding/rrd_builder.ts";
import { Pair } from "../h2/pair.ts";
import { frame } from "./frames.ts";

const OK = [[":status", "200"], ["content-type", "application/grpc"]] as const;

function begin() {
  const pair = new Pair();
  pair.carry();
  const client = new WriteClient(pair.client, "127.0.0.1:9876");
  pair.carry();
  return { pair, client, told: pair.server.told[0]! };
}

const turns = async () => {
  for (let i = 0; i < 20; i++) await undefined;
};

describe("an SDK's half of a call", () => {
  it("sends frames, and ends well once the server has answered", async () => {
    const { pair, client, told } = begin();
    assertEquals(told.stream.headers.get("content-type"), "application/grpc");
    assertEquals(
      told.stream.headers.get(":path"),
      "/rerun.sdk_comms.v1alpha1.MessageProxyService/WriteMessages",
    );
    const frames = [frame(Uint8Array.of(1)), frame(new Uint8Array(9))];
    for (const bytes of frames) await client.send([bytes.subarray(0, 5), bytes.subarray(5)]);
    let isOver = false;
    const finishing = client.finish().then(() => isOver = true);
    pair.carry();
    await turns();
    assertEquals(concat(...told.chunks), concat(...frames));
    assertEquals([told.events.at(-1), isOver], ["end", false]);
    told.stream.respond(OK);
    told.stream.write(frame(new Uint8Array()));
    told.stream.end([["grpc-status", "0"]]);
    pair.carry();
    await finishing;
  });

  it("waits where the server takes nothing, with little in its hands", async () => {
    const { pair, client, told } = begin();
    pair.server.consumes = false;
    let sent = 0;
    const sending = (async () => {
      for (; sent < 100; sent++) await client.send([new Uint8Array(100_000)]);
    })();
    for (let i = 0; i < 100; i++) {
      await turns();
      pair.carry();
    }
    // The window, and what waits.
    assert(sent >= 21 && sent <= 25, `${sent}`);
    assert(client.queuedBytes > 256 * 1024 && client.queuedBytes < 500_000);
    pair.server.consumes = true;
    told.stream.consume(told.stream.heldBytes);
    for (let i = 0; i < 200; i++) {
      await turns();
      pair.carry();
    }
    await sending;
  });

  it("says what the server says, in the midst of it or at the end", async () => {
    const answers: [(told: ReturnType<typeof begin>["told"]) => void, number, string][] = [
      [
        ({ stream }) =>
          stream.respond([...OK, ["grpc-status", "8"], ["grpc-message", "too%20much"]], true),
        8,
        "too much",
      ],
      [
        ({ stream }) => {
          stream.respond(OK);
          stream.end([["grpc-status", "3"], ["grpc-message", "bad"]]);
        },
        3,
        "bad",
      ],
      [({ stream }) => stream.respond([[":status", "404"]], true), 14, "HTTP 404"],
      [({ stream }) => stream.respond(OK, true), 13, "without a status"],
      [({ stream }) => stream.reset(8), 14, "reset by the peer"],
    ];
    for (const [answer, status, text] of answers) {
      const { pair, client, told } = begin();
      await client.send([frame(new Uint8Array(10))]);
      pair.carry();
      answer(told);
      pair.carry();
      const error = await assertRejects(() => client.send([frame(Uint8Array.of(1))]), GrpcError);
      assertEquals(error.status, status);
      assert(error.message.includes(text), error.message);
      await assertRejects(() => client.finish(), GrpcError, text);
    }
    const { pair, client } = begin();
    const finishing = assertRejects(() => client.finish(), GrpcError, "the peer closed");
    pair.client.finish();
    await finishing;
    assertThrows(() => new WriteClient(pair.client, "a"), GrpcError, "no calls");
  });

  it("takes an answer for none that comes before all was sent", async () => {
    for (const isFinished of [false, true]) {
      const { pair, client, told } = begin();
      await client.send([frame(new Uint8Array(10))]);
      pair.carry();
      // More than the window, so that it waits.
      if (isFinished) pair.server.consumes = false;
      const sent = isFinished ? client.send([new Uint8Array(3_000_000)]) : Promise.resolve();
      const finishing = isFinished ? client.finish() : undefined;
      for (const promise of [sent, finishing]) promise?.catch(() => {});
      pair.carry();
      told.stream.respond(OK);
      told.stream.end([["grpc-status", "0"]]);
      pair.carry();
      await assertRejects(() => finishing ?? client.finish(), GrpcError, "before all was sent");
      await assertRejects(() => client.send([frame(Uint8Array.of(1))]), GrpcError);
    }
  });

  it("takes no answer without end", async () => {
    const { pair, client, told } = begin();
    told.stream.respond(OK);
    told.stream.write(new Uint8Array(65_000));
    told.stream.write(new Uint8Array(1000));
    pair.carry();
    await assertRejects(() => client.finish(), GrpcError, "none of this call");
  });
});
