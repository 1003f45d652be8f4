import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { QuestionCall } from "../../../lib/comms/grpc/question_call.ts";
import { HandshakeTimeout } from "../../../lib/base/limit_errors.ts";
import type { GrpcError } from "../../../lib/comms/grpc/status.ts";
import { concat } from "../../encoding/rrd_builder.ts";
import { randomPieces, seeded } from "../../random.ts";
import { frame } from "./frames.ts";
import { MemoryStream } from "./memory_stream.ts";

/** Lets what waits for promises alone go on. */
async function turns(): Promise<void> {
  for (let i = 0; i < 40; i++) await undefined;
}

function started(
  answer: (question: Uint8Array) => Promise<Uint8Array> = (q) => Promise.resolve(q),
) {
  const stream = new MemoryStream("/questions");
  const overs: (Error | undefined)[] = [];
  const call = new QuestionCall(stream, 1000, { answer, over: (error) => void overs.push(error) });
  stream.sink = call;
  return { stream, call, overs };
}

describe("a call of many questions", () => {
  const questions = [3, 0, 700, 1000].map((length, i) => new Uint8Array(length).fill(i));
  const body = concat(...questions.map((question) => frame(question)));

  it("is answered question by question, however they come", async () => {
    for (let seed = 1; seed <= 50; seed++) {
      const random = seeded(seed);
      const { stream, call, overs } = started();
      for (const piece of randomPieces(body, random)) {
        stream.send(piece);
        if (random() < 0.5) await turns();
      }
      await turns();
      assertEquals([stream.messages, stream.trailers], [questions, undefined], "before it ends");
      assertEquals([stream.held, call.unfinishedBytes, call.isOver], [0, 0, false]);
      stream.finish();
      await stream.ended;
      assertEquals([stream.status, overs, call.isOver], [[0, ""], [undefined], true]);
    }
  });

  it("ends well once it asks nothing more for long, but not while it waits for an answer", async () => {
    const late = new HandshakeTimeout(0, 10);
    const { stream, call, overs } = started();
    stream.send(frame(questions[0]!));
    await turns();
    call.fail(late);
    assertEquals([stream.messages.length, stream.status, overs], [1, [0, ""], [undefined]]);
    const waiting = started(() => new Promise(() => {}));
    waiting.stream.send(frame(questions[0]!));
    await turns();
    waiting.call.fail(late);
    assertEquals([waiting.overs, waiting.call.isOver], [[late], true]);
  });

  it("gives no more to send while its answers are not taken, and counts what waits", async () => {
    const large = new Uint8Array(300_000);
    const { stream, call } = started(() => {
      stream.queuedBytes = large.length;
      return Promise.resolve(large);
    });
    stream.send(body);
    await turns();
    assertEquals([stream.messages.length, stream.held], [1, body.length]);
    assert(call.unfinishedBytes > body.length);
    for (let taken = 2; taken <= 4; taken++) {
      stream.take();
      await turns();
      assertEquals(stream.messages.length, taken);
    }
    stream.take();
    await turns();
    assertEquals([stream.held, call.unfinishedBytes], [0, 0]);
  });

  it("ends with the first error, and takes what comes after it to nothing", async () => {
    const bad: [Uint8Array, number][] = [
      [frame(new Uint8Array(1001)), 8],
      [frame(new Uint8Array(3), 1), 13],
      [frame(new Uint8Array(3), 2), 12],
    ];
    for (const [piece, status] of bad) {
      const { stream, call, overs } = started();
      stream.send(frame(questions[0]!));
      await turns();
      stream.send(piece);
      const [error] = overs as [GrpcError];
      assertEquals((error as { status?: number }).status ?? 8, status);
      stream.send(body);
      stream.finish();
      await turns();
      assertEquals([stream.messages.length, overs.length, stream.held], [1, 1, 0]);
      assertEquals([call.isOver, call.unfinishedBytes], [true, 0]);
    }
    const cut = started();
    cut.stream.send(body.subarray(0, 5));
    cut.stream.finish();
    assertEquals(cut.overs.length, 1);
  });

  it("passes on why a question has no answer, and forgets all when the peer leaves", async () => {
    const broken = new Error("broken");
    const { stream, overs } = started(() => Promise.reject(broken));
    stream.send(body);
    await turns();
    assertEquals([overs, stream.held], [[broken], 0]);
    const asked = Promise.withResolvers<Uint8Array>();
    const left = started(() => asked.promise);
    left.stream.send(body);
    left.stream.leave();
    asked.resolve(new Uint8Array());
    await turns();
    assertEquals([left.stream.written, left.stream.held, left.overs.length], [[], 0, 1]);
    assertEquals(left.call.unfinishedBytes, 0);
  });
});
