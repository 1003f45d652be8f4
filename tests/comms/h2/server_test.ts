import { describe, it } from "node:test";
import { assert, assertEquals, assertLess } from "@std/assert";
import { H2Connection } from "../../../lib/comms/h2/connection.ts";
import { ERROR } from "../../../lib/comms/h2/error_codes.ts";
import { joined } from "../../contract/streams.ts";
import { TestServer } from "./server.ts";
import { take } from "./take.ts";
import { bytes, frame, frames, goAway, hello, literal, REQUEST, resets, u32 } from "./wire.ts";

const KiB = 1024;
const MiB = 1024 * KiB;

const OPEN = frame(1, 4, 1, REQUEST);
/** What a client says once it has acted upon our settings. */
const SETTINGS_ACK = frame(4, 1, 0, bytes());
const OK = [[":status", "200"]] as const;

/** Trailers, and the type and flags of the frame that ends a stream with them. */
const ENDS: [[string, string][] | undefined, [number, number]][] = [
  [undefined, [0, 1]],
  [[["a", "b"]], [1, 5]],
];

/** Increments of a window, by stream. */
function updates(sent: Uint8Array): [id: number, more: number][] {
  return frames(sent).filter(({ type }) => type === 8)
    .map(({ id, payload }) => [id, new DataView(payload.buffer).getUint32(0)]);
}

/** DATA that was sent of a stream, in bytes. */
function dataBytes(sent: Uint8Array, id = 1): number {
  return frames(sent).filter((frame) => frame.type === 0 && frame.id === id)
    .reduce((sum, { payload }) => sum + payload.length, 0);
}

/** So many bytes of DATA, in frames of 16 KiB. */
function data(id: number, length: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let left = length; left > 0; left -= 16 * KiB) {
    parts.push(frame(0, 0, id, new Uint8Array(Math.min(left, 16 * KiB))));
  }
  return joined(parts);
}

describe("a server's connection", () => {
  it("begins with its settings and its window", () => {
    const [settings, update] = frames(new TestServer().sent());
    const view = new DataView(settings!.payload.buffer);
    const pairs = Array.from(
      { length: 4 },
      (_, i) => [view.getUint16(6 * i), view.getUint32(6 * i + 2)],
    );
    assertEquals(pairs, [[3, 64], [4, 2 * MiB], [5, MiB], [6, 16 * KiB]]);
    assertEquals(updates(joined([frame(8, 0, 0, update!.payload)])), [[0, 4 * MiB - 65_535]]);
  });

  it("gives a stream's header fields, body and end, and answers with trailers", () => {
    const server = new TestServer();
    server.onEnd = (stream) => {
      stream.respond([...OK, ["content-type", "application/grpc"]]);
      stream.write(bytes("answer"));
      stream.end([["grpc-status", "0"]]);
    };
    server.push(hello(), OPEN, frame(0, 0, 1, bytes("hel")));
    const answer = frames(server.push(frame(0, 1, 1, bytes("lo"))));
    const { stream, events } = server.told[0]!;
    assertEquals(Object.fromEntries(stream.headers), {
      ":method": "POST",
      ":scheme": "http",
      ":path": "/proxy",
      "content-type": "application/grpc",
      "te": "trailers",
    });
    assertEquals(events, ["data 3", "data 2", "end"]);
    assertEquals(answer.map(({ type, flags, id }) => [type, flags, id]), [
      [1, 4, 1],
      [0, 0, 1],
      [1, 5, 1],
    ]);
    assertEquals(answer[1]!.payload, bytes("answer"));
    assertEquals(server.h2.openStreams, 0);
  });

  it("gives trailers", () => {
    const server = new TestServer();
    server.push(hello(), OPEN, frame(1, 5, 1, literal("x-sum", "1")));
    assertEquals(server.events, [["end x-sum,1"]]);
  });

  it("answers SETTINGS and PING, and takes no notice of what it does not know", () => {
    const server = new TestServer();
    server.push(hello());
    const sent = frames(server.push(
      frame(4, 0, 0, bytes(0, 99, u32(5))),
      frame(6, 0, 0, bytes("12345678")),
      frame(99, 255, 1, bytes("?")),
    ));
    assertEquals(sent.map(({ type, flags }) => [type, flags]), [[4, 1], [6, 1]]);
    assertEquals(sent[1]!.payload, bytes("12345678"));
  });

  it("ends with the peer: its streams are gone", () => {
    const server = new TestServer();
    server.push(hello(), OPEN);
    server.h2.finish(new Error("reset"));
    assertEquals(server.events, [["gone 8: reset"]]);
    assertEquals(server.h2.error?.message, "reset");
    assert(server.h2.isClosed);
  });

  it("says what a client did wrong, in GOAWAY and to all streams", () => {
    const server = new TestServer();
    const sent = server.push(hello(), OPEN, frame(0, 0, 5, bytes("x")));
    assertEquals(goAway(sent), {
      code: "PROTOCOL_ERROR",
      text: "DATA on a stream that was not opened",
    });
    assertEquals(server.events, [[
      "gone 1: HTTP/2 PROTOCOL_ERROR: DATA on a stream that was not opened",
    ]]);
    assertEquals(server.push(OPEN).length, 0);
  });

  it("ends with INTERNAL_ERROR where a sink throws, and tells the others", () => {
    const server = new TestServer();
    server.push(hello(), OPEN, frame(1, 4, 3, REQUEST));
    server.told[0]!.stream.sink!.data = () => {
      throw new Error("a bug");
    };
    server.told[0]!.stream.sink!.gone = () => {
      throw new Error("another bug");
    };
    const sent = server.push(frame(0, 0, 1, bytes("x")));
    assertEquals(goAway(sent)?.code, "INTERNAL_ERROR");
    assertEquals(server.events[1], ["gone 2: HTTP/2 INTERNAL_ERROR: a bug"]);
    assertEquals((server.h2.error?.cause as Error).message, "a bug");
  });

  it("refuses streams beyond the limit, and takes more once one has ended", () => {
    const server = new TestServer({ maxStreams: 2 });
    server.onEnd = (stream) => stream.respond(OK, true);
    const opened = server.push(hello(), ...[1, 3, 5].map((id) => frame(1, 4, id, REQUEST)));
    assertEquals(resets(opened), { 5: "REFUSED_STREAM" });
    server.push(frame(0, 1, 1), frame(1, 4, 7, REQUEST));
    assertEquals(server.told.map(({ stream }) => stream.id), [1, 3, 7]);
  });

  const malformed: Record<string, Uint8Array> = {
    "no :path": bytes(0x83, 0x86),
    ":path twice": bytes(0x83, 0x86, 0x84, 0x84),
    "an empty :path": bytes(0x83, 0x86, 0x04, 0),
    "a pseudo-header field behind others": bytes(0x83, 0x86, literal("a", "b"), 0x84),
    "an unknown pseudo-header field": bytes(REQUEST.subarray(0, 2), 0x84, literal(":x", "b")),
    ":status": bytes(0x83, 0x86, 0x84, 0x88),
    "a name in capitals": bytes(REQUEST, literal("Te", "x")),
    "an empty name": bytes(REQUEST, literal("", "x")),
    "connection": bytes(REQUEST, literal("connection", "close")),
    "te other than trailers": bytes(0x83, 0x86, 0x84, literal("te", "gzip")),
    "a line feed in a value": bytes(REQUEST, literal("x", "a\nb")),
    "a space before a value": bytes(REQUEST, literal("x", " a")),
    "a content-length that is none": bytes(REQUEST, literal("content-length", "1e3")),
  };
  for (const [name, block] of Object.entries(malformed)) {
    it(`resets a stream with ${name}`, () => {
      const server = new TestServer();
      assertEquals(resets(server.push(hello(), frame(1, 4, 1, block))), { 1: "PROTOCOL_ERROR" });
      assertEquals(server.h2.openStreams, 0);
      // The next one is served.
      server.push(frame(1, 5, 3, REQUEST));
      assertEquals(server.told.at(-1)!.events, ["end"]);
    });
  }

  it("resets a stream whose PRIORITY is malformed, and ends if there is none", () => {
    const wrong = (id: number) => frame(2, 0, id, bytes(u32(id), 1));
    const server = new TestServer();
    const sent = server.push(hello(), OPEN, wrong(1), wrong(1), frame(2, 0, 5, bytes(u32(0), 1)));
    assertEquals([resets(sent), server.h2.isClosed], [{ 1: "PROTOCOL_ERROR" }, false]);
    assertEquals(goAway(server.push(wrong(5)))?.code, "PROTOCOL_ERROR");
  });

  it("refuses a PRIORITY of another length, whether its stream is over or not", () => {
    const short = frame(2, 0, 1, bytes(u32(0)));
    const server = new TestServer();
    assertEquals(resets(server.push(hello(), OPEN, short)), { 1: "FRAME_SIZE_ERROR" });
    assertEquals(goAway(server.push(short))?.code, "FRAME_SIZE_ERROR");
  });

  it("joins fields that come several times", () => {
    const server = new TestServer();
    const many = [
      literal("a", "1"),
      literal("a", "2"),
      literal("cookie", "x"),
      literal("cookie", "y"),
    ];
    server.push(hello(), frame(1, 5, 1, bytes(REQUEST, ...many)));
    const { headers } = server.told[0]!.stream;
    assertEquals([headers.get("a"), headers.get("cookie")], ["1, 2", "x; y"]);
  });

  it("resets a body that is not as long as was said", () => {
    const server = new TestServer();
    const block = bytes(REQUEST, literal("content-length", "3"));
    server.push(hello(), ...[1, 3, 5].map((id) => frame(1, 4, id, block)));
    const sent = server.push(
      frame(0, 1, 1, bytes("ab")),
      frame(0, 0, 3, bytes("abcd")),
      frame(0, 1, 5, bytes("abc")),
    );
    assertEquals(resets(sent), { 1: "PROTOCOL_ERROR", 3: "PROTOCOL_ERROR" });
    assertEquals(server.events[2], ["data 3", "end"]);
  });
});

describe("the windows of what a client sends", () => {
  it("are raised when it was consumed, by a quarter at least", () => {
    const server = new TestServer();
    server.consumes = false;
    const { stream } = (server.push(hello(), OPEN), server.told[0]!);
    assertEquals(updates(server.push(data(1, MiB))), []);
    assertEquals(stream.heldBytes, MiB);
    stream.consume(MiB / 2 - 1);
    assertEquals(updates(server.sent()), []);
    stream.consume(1);
    assertEquals(updates(server.sent()), [[1, MiB / 2]]);
    stream.consume(MiB);
    assertEquals(stream.heldBytes, 0);
    // No more than what came is given back.
    assertEquals(updates(server.sent()), [[0, MiB], [1, MiB / 2]]);
  });

  it("end a stream, or the connection, that does not keep to them", () => {
    const server = new TestServer();
    server.consumes = false;
    server.push(hello(), OPEN, frame(1, 4, 3, REQUEST), data(1, 2 * MiB));
    assertEquals(resets(server.push(frame(0, 0, 1, bytes("x")))), { 1: "FLOW_CONTROL_ERROR" });
    const whole = new TestServer({ streamWindow: 8 * MiB });
    whole.consumes = false;
    whole.push(hello(), OPEN, data(1, 4 * MiB));
    assertEquals(goAway(whole.push(frame(0, 0, 1, bytes("x"))))?.code, "FLOW_CONTROL_ERROR");
  });

  it("are given back whole when a stream is gone, once", () => {
    const server = new TestServer();
    server.consumes = false;
    let given = 0;
    for (let i = 0; i < 20; i++) {
      const id = 2 * i + 1;
      const sent = server.push(
        i === 0 ? hello() : new Uint8Array(0),
        frame(1, 4, id, REQUEST),
        data(id, MiB),
      );
      const ended = i % 2 === 0
        ? server.push(frame(3, 0, id, u32(8)))
        : (server.told[i]!.stream.reset(8), server.sent());
      server.told[i]!.stream.consume(MiB);
      const all = joined([sent, ended, server.sent()]);
      given += updates(all).filter(([id]) => id === 0).reduce((sum, [, more]) => sum + more, 0);
    }
    assertEquals(given - (4 * MiB - 65_535), 20 * MiB);
  });

  it("go on for the connection with what is still under way of a stream that was reset", () => {
    const server = new TestServer();
    server.push(hello(), OPEN);
    server.told[0]!.stream.reset(ERROR.CANCEL);
    assertEquals(resets(server.sent()), { 1: "CANCEL" });
    assertEquals(updates(server.push(data(1, MiB))), [[0, MiB]]);
    assertEquals(updates(server.push(data(1, MiB), frame(1, 5, 1, REQUEST))), [[0, MiB]]);
    // But only as far as its window went.
    assertEquals(goAway(server.push(frame(0, 0, 1, bytes("x"))))?.code, "FLOW_CONTROL_ERROR");
  });

  it("count padding as consumed", () => {
    const server = new TestServer();
    server.consumes = false;
    server.push(hello(), OPEN);
    const padded = frame(0, 8, 1, bytes(255, new Uint8Array(1000)));
    const sent = joined(Array.from({ length: 2100 }, () => server.push(padded)));
    const more = updates(sent).filter(([id]) => id === 1).reduce((sum, [, more]) => sum + more, 0);
    assertEquals(more, MiB / 2);
    assertEquals(server.told[0]!.stream.heldBytes, 2100 * 745);
  });

  it("of a stream that nobody has a place for are small until it is widened", () => {
    const server = new TestServer({ initialWindow: 1000 });
    server.consumes = false;
    const settings = frames(server.sent())[0]!;
    assertEquals(new DataView(settings.payload.buffer).getUint32(8), 1000);
    server.push(hello(), SETTINGS_ACK, OPEN, frame(0, 0, 1, new Uint8Array(1000)));
    const { stream } = server.told[0]!;
    stream.widen();
    stream.widen();
    assertEquals(updates(server.sent()), [[1, 2 * MiB - 1000]]);
    server.push(data(1, 2 * MiB - 1000));
    assertEquals(resets(server.push(frame(0, 0, 1, bytes("x")))), { 1: "FLOW_CONTROL_ERROR" });
  });

  it("that are small let come what was sent before the client knew", () => {
    const MORE = 0xffff;
    for (const initialWindow of [0, 1000]) {
      const server = new TestServer({ initialWindow });
      server.consumes = false;
      // Clients send their first messages with the very bytes that open the connection.
      server.push(hello(), OPEN, frame(0, 0, 1, new Uint8Array(MORE)));
      const { stream, events } = server.told[0]!;
      assertEquals(events, [`data ${MORE}`]);
      // Its window is below 0 now, and an empty end needs none.
      server.push(SETTINGS_ACK);
      assertEquals(server.push(frame(0, 1, 1, bytes())), bytes());
      assertEquals(events, [`data ${MORE}`, "end"]);
      stream.widen();
      // Whoever knows may not.
      const late = server.push(frame(1, 4, 3, REQUEST), frame(0, 0, 3, new Uint8Array(MORE)));
      assertEquals(resets(late), { 3: "FLOW_CONTROL_ERROR" });
    }
    const server = new TestServer({ initialWindow: 0 });
    const early = frame(0, 0, 1, new Uint8Array(MORE + 1));
    assertEquals(resets(server.push(hello(), OPEN, early)), { 1: "FLOW_CONTROL_ERROR" });
  });

  it("that are small tell of more once what came early is consumed", () => {
    const server = new TestServer({ initialWindow: 0 });
    server.consumes = false;
    server.push(hello(), OPEN, frame(0, 0, 1, new Uint8Array(5000)), SETTINGS_ACK);
    const { stream } = server.told[0]!;
    stream.widen();
    // The client counts from what it may not send: 0 less what it sent.
    assertEquals(updates(server.sent()), [[1, 2 * MiB]]);
    stream.consume(5000);
    server.push(data(1, MiB));
    stream.consume(MiB);
    const [[id, more] = []] = updates(server.sent()).filter(([id]) => id === 1);
    assertEquals([id, more], [1, MiB + 5000]);
  });

  it("of streams that were reset let come what was sent before the client knew", () => {
    const server = new TestServer({ initialWindow: 0 });
    server.push(hello(), OPEN);
    server.told[0]!.stream.reset(8);
    server.sent();
    server.push(frame(0, 0, 1, new Uint8Array(40_000)), SETTINGS_ACK, frame(0, 1, 1, bytes()));
    assertEquals(server.h2.isClosed, false);
    const late = server.push(frame(0, 0, 1, bytes("x")));
    assertEquals(goAway(late)?.code, "FLOW_CONTROL_ERROR");
  });

  it("let bytes be read where they belong, from 64 KiB on", () => {
    const server = new TestServer();
    server.push(hello(), OPEN);
    const place = new Uint8Array(500_000);
    const asked: number[] = [];
    server.told[0]!.stream.sink!.readInto = (most) => {
      asked.push(most);
      return place.subarray(0, most);
    };
    const whole = frame(0, 0, 1, new Uint8Array(300_000));
    assertEquals(server.h2.readInto(), undefined);
    server.h2.push(whole.subarray(0, 109));
    const room = server.h2.readInto()!;
    assertEquals([room.length, asked], [299_900, [299_900]]);
    assertEquals(server.h2.push(room.subarray(0, 250_000)), true);
    assertEquals(server.h2.readInto(), undefined);
  });
});

describe("what a server sends", () => {
  function answering(settings: [number, number][] = []): TestServer {
    const server = new TestServer();
    server.push(hello(...settings), frame(1, 5, 1, REQUEST));
    server.told[0]!.stream.respond(OK);
    server.sent();
    return server;
  }

  it("stays within the client's windows and frames", () => {
    const server = answering([[4, 100_000], [5, 20_000]]);
    const { stream } = server.told[0]!;
    stream.write(new Uint8Array(200_000));
    const first = server.sent();
    assertEquals(dataBytes(first), 65_535);
    assertEquals(Math.max(...frames(first).map(({ payload }) => payload.length)), 20_000);
    assertEquals(stream.queuedBytes, 134_465);
    assertEquals(dataBytes(server.push(frame(8, 0, 0, u32(50_000)))), 100_000 - 65_535);
    assertEquals(dataBytes(server.push(frame(8, 0, 1, u32(1000)))), 1000);
    // Smaller windows of new streams take away of open ones.
    assertEquals(dataBytes(server.push(frame(4, 0, 0, bytes(0, 4, u32(99_000))))), 0);
    assertEquals(dataBytes(server.push(frame(8, 0, 1, u32(1000)))), 0);
    assertEquals(dataBytes(server.push(frame(8, 0, 1, u32(7)))), 7);
  });

  it("ends with the last bytes, with trailers, or alone", () => {
    for (const [trailers, last] of ENDS) {
      const server = answering();
      server.told[0]!.stream.write(bytes("x"));
      server.told[0]!.stream.end(trailers);
      const { type, flags } = frames(server.sent()).at(-1)!;
      assertEquals([type, flags], last);
      assertEquals(server.h2.openStreams, 0);
    }
    const empty = answering();
    empty.told[0]!.stream.end();
    assertEquals(
      frames(empty.sent()).map(({ type, flags, payload }) => [type, flags, payload.length]),
      [[0, 1, 0]],
    );
  });

  it("tells when there is room, and when bytes may change", () => {
    const server = answering([[4, 10]]);
    const { stream } = server.told[0]!;
    const told: string[] = [];
    stream.onRoom = () => told.push(`room ${stream.queuedBytes}`);
    stream.write(bytes("123456"), () => told.push("first"));
    stream.write(bytes("789012"), () => told.push("second"));
    const sent = take(server.h2);
    assertEquals([dataBytes(sent, 1), told], [10, ["room 2"]]);
    server.h2.wrote();
    assertEquals(told, ["room 2", "first"]);
    server.push(frame(3, 0, 1, u32(8)));
    assertEquals(told, ["room 2", "first", "room 0", "second"]);
    stream.write(bytes("x"), () => told.push("third"));
    assertEquals(told.at(-1), "third");
  });

  it("does not let bytes change that are being written when their stream is gone", () => {
    const server = answering();
    const told: string[] = [];
    server.told[0]!.stream.write(bytes("123456"), () => told.push("done"));
    take(server.h2);
    server.h2.push(frame(3, 0, 1, u32(8)));
    assertEquals(told, []);
    server.h2.wrote();
    assertEquals(told, ["done"]);
  });

  it("gives each stream its turn", () => {
    const server = new TestServer();
    server.push(hello([4, 1 << 30]), frame(8, 0, 0, u32(1 << 30)));
    server.h2.push(joined([1, 3, 5].map((id) => frame(1, 5, id, REQUEST))));
    for (const { stream } of server.told) stream.respond(OK);
    server.sent();
    for (const { stream } of server.told) stream.write(new Uint8Array(MiB));
    const first = take(server.h2, 192 * KiB + 12 * 9);
    assertEquals([1, 3, 5].map((id) => dataBytes(first, id)), [64 * KiB, 64 * KiB, 64 * KiB]);
  });

  it("may be an answer before the request has ended, whose rest is thrown away", () => {
    const server = new TestServer();
    server.push(hello(), OPEN);
    server.told[0]!.stream.respond([...OK, ["grpc-status", "12"]], true);
    assertEquals(resets(server.sent()), { 1: "NO_ERROR" });
    assertEquals(server.events, [[]]);
    assertEquals(updates(server.push(data(1, MiB))), [[0, MiB]]);
    assertEquals(server.events, [[]]);
  });

  it("needs CONTINUATION where header fields are longer than a frame", () => {
    const server = answering();
    server.told[0]!.stream.end([["x", "y".repeat(40_000)]]);
    const sent = frames(server.sent());
    assertEquals(sent.map(({ type, flags, payload }) => [type, flags, payload.length]), [
      [1, 1, 16_384],
      [9, 0, 16_384],
      [9, 4, 40_007 - 2 * 16_384],
    ]);
  });

  it("is nothing once it is gone, and its user is told so", () => {
    const server = answering();
    const { stream, events } = server.told[0]!;
    assert(stream.isWritable);
    assertEquals(resets(server.push(frame(3, 0, 1, u32(8)))), {});
    assertEquals(events, ["end", "gone 8: reset by the peer (CANCEL)"]);
    assertEquals(stream.isWritable, false);
    stream.write(bytes("x"));
    stream.end();
    stream.reset(8);
    assertEquals(server.sent().length, 0);
  });

  it("says when the client takes no answers, so that it is not read any more", () => {
    const server = new TestServer();
    server.onEnd = (stream) => stream.respond([...OK, ["x", "y".repeat(1000)]], true);
    server.push(hello());
    let id = 1;
    for (; !server.h2.isCongested && id < 1000; id += 2) server.h2.push(frame(1, 5, id, REQUEST));
    assertEquals([id, server.h2.isClosed], [131, false]);
    assertLess(server.sent().length, 67 * KiB);
    assertEquals(server.h2.isCongested, false);
  });
});

describe("leaving", () => {
  it("lets open streams end, and takes no more", () => {
    const server = new TestServer();
    server.push(hello(), OPEN);
    server.h2.leave("the server ends");
    assertEquals(goAway(server.sent()), { code: "NO_ERROR", text: "the server ends" });
    assertEquals(resets(server.push(frame(1, 4, 3, REQUEST))), { 3: "REFUSED_STREAM" });
    assertEquals(server.h2.isClosed, false);
    server.onEnd = (stream) => stream.respond(OK, true);
    server.push(frame(0, 1, 1));
    assertEquals([server.h2.isClosed, server.h2.error], [true, undefined]);
  });

  it("is over when its user has ended the last stream, without a word of the client", () => {
    for (const end of ["respond", "reset"] as const) {
      const server = new TestServer();
      server.push(hello(), frame(1, 5, 1, REQUEST));
      server.h2.leave();
      const { stream } = server.told[0]!;
      end === "reset" ? stream.reset(8) : stream.respond(OK, true);
      server.sent();
      assertEquals([server.h2.isClosed, server.h2.lingers], [true, true]);
    }
  });

  it("is closing where there are no streams", () => {
    const { h2 } = new TestServer();
    h2.leave();
    assert(h2.isClosed);
  });

  it("may be at once, with a reason for all", () => {
    const server = new TestServer();
    server.push(hello(), OPEN);
    server.h2.close(ERROR.ENHANCE_YOUR_CALM, "too much");
    assertEquals(goAway(server.sent()), { code: "ENHANCE_YOUR_CALM", text: "too much" });
    assertEquals(server.events, [["gone 11: too much"]]);
  });
});

describe("options", () => {
  it("are checked", () => {
    for (
      const options of [{ maxFrameBytes: 1000 }, { streamWindow: 0 }, { initialWindow: 3 << 20 }, {
        connectionWindow: 1000,
      }]
    ) {
      let message = "";
      try {
        new H2Connection("server", options);
      } catch (error) {
        message = (error as RangeError).message;
      }
      assert(message.startsWith(Object.keys(options)[0]!), message);
    }
  });
});
