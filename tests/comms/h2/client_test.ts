import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { H2Connection } from "../../../lib/comms/h2/connection.ts";
import { ERROR } from "../../../lib/comms/h2/error_codes.ts";
import { encodeFields } from "../../../lib/comms/h2/hpack.ts";
import type { Field } from "../../../lib/comms/h2/types.ts";
import { joined } from "../../contract/streams.ts";
import { FIELDS, Pair } from "./pair.ts";
import { take } from "./take.ts";
import { bytes, frame, goAway, PREFACE, u32 } from "./wire.ts";

const MiB = 1024 * 1024;
const OK: readonly Field[] = [[":status", "200"], ["content-type", "application/grpc"]];
const HEADERS = "headers :status,200 content-type,application/grpc";

describe("a client's connection", () => {
  it("sends a request, and is given the answer and its trailers", () => {
    const pair = new Pair();
    pair.server.onEnd = (stream) => {
      stream.respond(OK);
      stream.write(bytes("answer"));
      stream.end([["grpc-status", "0"]]);
    };
    const { stream, events } = pair.ask();
    stream.write(bytes("ques"));
    stream.write(bytes("tion"));
    stream.end();
    pair.carry();
    const [told] = pair.server.told;
    assertEquals(told!.stream.headers, new Map(FIELDS));
    assertEquals(joined(told!.chunks), bytes("question"));
    assertEquals(events, [HEADERS, "data answer", "end grpc-status,0"]);
    assertEquals([pair.client.openStreams, pair.server.h2.openStreams], [0, 0]);
    assertEquals(stream.isWritable, false);
  });

  it("sends trailers of its own, and requests without a body", () => {
    const pair = new Pair();
    pair.server.onEnd = (stream) => stream.respond(OK, true);
    const { stream } = pair.ask();
    stream.end([["x-sum", "1"]]);
    const { events } = pair.ask(true);
    pair.carry();
    assertEquals(pair.server.events, [["end x-sum,1"], ["end"]]);
    assertEquals(events, [HEADERS, "end"]);
  });

  it("is held back by a server that consumes nothing, and goes on", () => {
    const pair = new Pair();
    pair.server.consumes = false;
    const { stream } = pair.ask();
    let rooms = 0;
    stream.onRoom = () => rooms++;
    stream.write(new Uint8Array(10 * MiB));
    pair.carry();
    assertEquals(stream.queuedBytes, 8 * MiB);
    assert(rooms > 0);
    const told = pair.server.told[0]!.stream;
    while (told.heldBytes > 0) {
      told.consume(told.heldBytes);
      pair.carry();
    }
    assertEquals(stream.queuedBytes, 0);
  });

  it("uses frames as large as the server takes", () => {
    const pair = new Pair();
    const { stream } = pair.ask();
    pair.carry();
    stream.write(new Uint8Array(MiB));
    pair.carry();
    const largest = pair.server.told[0]!.events.map((event) => Number(event.split(" ")[1]));
    assert(Math.max(...largest) > 16_384, `${largest}`);
  });

  it("opens no more streams than the server takes, and says when it may again", () => {
    const pair = new Pair({}, { maxStreams: 2 });
    pair.carry();
    let ready = 0;
    pair.client.onReady = () => ready++;
    const first = pair.ask();
    pair.ask();
    assertEquals([pair.client.canRequest, pair.client.request(FIELDS)], [false, undefined]);
    pair.carry();
    assertEquals(ready, 0);
    pair.server.told[0]!.stream.respond(OK, true);
    pair.carry();
    assertEquals(first.events, [HEADERS, "end"]);
    assertEquals([ready, pair.client.canRequest], [1, true]);
    pair.ask();
    pair.carry();
    assertEquals(pair.server.told.map(({ stream }) => stream.id), [1, 3, 5]);
  });

  it("is told that a stream is gone, by either side", () => {
    const pair = new Pair();
    const asked = [pair.ask(), pair.ask()];
    pair.carry();
    pair.server.told[0]!.stream.reset(ERROR.REFUSED_STREAM);
    asked[1]!.stream.reset(ERROR.CANCEL);
    pair.carry();
    assertEquals(asked[0]!.events, ["gone 7: reset by the peer (REFUSED_STREAM)"]);
    assertEquals(asked[1]!.events, ["gone 8: ended by this side"]);
    assertEquals(pair.server.events[1], ["gone 8: reset by the peer (CANCEL)"]);
  });

  it("takes an answer that comes before the request has ended, and sends no more", () => {
    const pair = new Pair();
    const { stream, events } = pair.ask();
    pair.carry();
    pair.server.told[0]!.stream.respond([...OK, ["grpc-status", "8"]], true);
    pair.carry();
    assertEquals(events, [`${HEADERS} grpc-status,8`, "end"]);
    assertEquals([stream.isWritable, pair.client.openStreams], [false, 0]);
  });

  it("lets its streams end when the server leaves, but for those it has not seen", () => {
    const pair = new Pair();
    const first = pair.ask();
    pair.carry();
    const second = pair.ask();
    pair.server.h2.leave("it ends");
    pair.client.push(pair.server.sent());
    assertEquals(second.events, ["gone 7: the server left: NO_ERROR it ends"]);
    assertEquals([pair.client.canRequest, pair.client.isClosed], [false, false]);
    first.stream.end();
    pair.server.onEnd = (stream) => stream.respond(OK, true);
    pair.carry();
    assertEquals(first.events, [HEADERS, "end"]);
    assertEquals([pair.client.isClosed, pair.client.error], [true, undefined]);
  });

  it("says why the server ended the connection", () => {
    const pair = new Pair();
    const { events } = pair.ask();
    pair.carry();
    pair.server.h2.close(ERROR.ENHANCE_YOUR_CALM, "too many resets");
    pair.client.push(pair.server.sent());
    pair.client.finish();
    const reason = "the peer ended the connection: ENHANCE_YOUR_CALM too many resets";
    assertEquals(events, [`gone 8: ${reason}`]);
    assert(pair.client.error?.message.includes(reason), pair.client.error?.message);
  });

  it("may leave, and closes behind its last stream", () => {
    const pair = new Pair();
    pair.server.onEnd = (stream) => stream.respond(OK, true);
    const { stream } = pair.ask();
    pair.client.leave();
    stream.end();
    pair.carry();
    assertEquals([pair.client.isClosed, pair.client.request(FIELDS)], [true, undefined]);
  });

  it("throws for fields that are none of a request, and where it would be a server", () => {
    const { client } = new Pair();
    assertThrows(() => client.request([[":path", "/"]]), Error, "malformed");
    const stream = client.request(FIELDS)!;
    assertThrows(() => stream.respond(OK), Error, "client");
  });
});

describe("a server that misbehaves", () => {
  /** A client with one stream, to a server of these frames. */
  function told(
    ...parts: Uint8Array[]
  ): { client: H2Connection; events: string[]; sent: Uint8Array } {
    const pair = new Pair();
    const { events } = pair.ask(true, [[":method", "GET"], ...FIELDS.slice(1)]);
    take(pair.client);
    pair.client.push(joined([frame(4, 0, 0), ...parts]));
    const sent = take(pair.client);
    return { client: pair.client, events, sent };
  }
  const answer = (fields: readonly Field[], flags = 4) => frame(1, flags, 1, encodeFields(fields));

  it("may send answers of 1xx before the real one", () => {
    const { events } = told(
      answer([[":status", "100"]]),
      answer([[":status", "103"]]),
      answer(OK, 5),
    );
    assertEquals(events, [HEADERS, "end"]);
  });

  for (
    const [name, fields] of Object.entries<readonly Field[]>({
      "without :status": [["content-type", "text/plain"]],
      "with a :status that is none": [[":status", "2"]],
      "with :path": [[":status", "200"], [":path", "/"]],
      "with a name in capitals": [[":status", "200"], ["X", "y"]],
    })
  ) {
    it(`gets an answer ${name} reset`, () => {
      assertEquals(told(answer(fields)).events, [
        "gone 1: an answer's header fields are malformed",
      ]);
    });
  }

  it("gets a body reset that is not as long as was said", () => {
    const { events } = told(answer([...OK, ["content-length", "2"]]), frame(0, 1, 1, bytes("x")));
    assertEquals(events.at(-1), "gone 1: a body shorter than its content-length");
  });

  it("gets a body reset that comes before its answer", () => {
    const { events } = told(frame(0, 1, 1, bytes("x")), answer(OK, 5));
    assertEquals(events, ["gone 1: DATA before the answer's header fields"]);
  });

  const wrong: Record<string, [Uint8Array, string]> = {
    "pushes": [frame(5, 4, 1, bytes(u32(2), 0x88)), "PROTOCOL_ERROR"],
    "wants to be pushed to": [frame(4, 0, 0, bytes(0, 2, u32(1))), "PROTOCOL_ERROR"],
    "answers what was not asked": [frame(1, 4, 3, bytes(0x88)), "PROTOCOL_ERROR"],
    "opens a stream": [frame(1, 4, 2, bytes(0x88)), "PROTOCOL_ERROR"],
    "sends DATA of no stream": [frame(0, 0, 3, bytes("x")), "PROTOCOL_ERROR"],
  };
  for (const [name, [input, code]] of Object.entries(wrong)) {
    it(`is left when it ${name}`, () => {
      const { client, sent, events } = told(input);
      assertEquals([goAway(sent)?.code, client.isClosed, events.length], [code, true, 1]);
    });
  }

  it("is left when it is none", () => {
    const client = new H2Connection("client");
    client.push(bytes("HTTP/1.1 400 Bad Request\r\n\r\n"));
    assert(client.isClosed);
    assertEquals(take(client).subarray(0, PREFACE.length), PREFACE);
  });
});
