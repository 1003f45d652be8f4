/** How one recording is written, on a server in memory whose answers may fail to come. */
import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { UntilAborted } from "../../lib/base/until_aborted.ts";
import type { Nats } from "../../lib/nats/connection.ts";
import { type BatchHeaders, readHeaders } from "../../lib/nats/headers.ts";
import { PartJoiner } from "../../lib/nats/part_joiner.ts";
import { payloadOf } from "../../lib/nats/payload.ts";
import { SendWindow } from "../../lib/nats/send_window.ts";
import { SubjectWriter, type WriterContext } from "../../lib/nats/subject_writer.ts";
import { announcement, longChunk } from "../forward/chunks.ts";

const SUBJECT = "rerelay.box.app.a";

/** A stream that stores nothing twice, and takes only what is behind the last message. */
class FakeStream {
  readonly stored: { readonly headers: BatchHeaders; readonly data: Uint8Array }[] = [];
  readonly #ids = new Map<string, number>();
  /** Bytes that came, stored or not. */
  bytes = 0;
  /** So many publishes are answered; then the link breaks. */
  answers = Infinity;

  readonly nats = {
    headers: (fields: readonly (readonly [string, string])[]) => new Map(fields),
    client: {
      publish: (_: string, data: Uint8Array, { msgID, expect, headers }: {
        readonly msgID: string;
        readonly expect: { readonly lastSubjectSequence: number };
        readonly headers: ReadonlyMap<string, string>;
      }) => {
        if (this.answers-- <= 0) return Promise.reject(new Error("the link broke"));
        this.bytes += data.length;
        const known = this.#ids.get(msgID);
        if (known !== undefined) {
          return Promise.resolve({ stream: "RERELAY", seq: known, duplicate: true });
        }
        if (expect.lastSubjectSequence !== this.stored.length) {
          return Promise.reject(Object.assign(new Error("wrong sequence"), { code: 10071 }));
        }
        const read = readHeaders((name) => headers.get(name) ?? "")!;
        this.stored.push({ headers: read, data: data.slice() });
        this.#ids.set(msgID, this.stored.length);
        return Promise.resolve({ stream: "RERELAY", seq: this.stored.length, duplicate: false });
      },
    },
    manager: {
      streams: {
        getMessage: () => {
          const seq = this.stored.length;
          if (seq === 0) {
            return Promise.reject(Object.assign(new Error("no message"), { code: 10037 }));
          }
          const { headers: { box, run, file, numbers, part }, data } = this.stored[seq - 1]!;
          const fields = new Map<string, string>([
            ...[["Rerelay-Box", box], ["Rerelay-Run", run], ["Rerelay-File", file]] as const,
            ["Rerelay-Numbers", `${numbers[0]}-${numbers.at(-1)}`] as const,
            ["Rerelay-Part", part === undefined ? "" : `${part.index}/${part.count}`] as const,
            ["Rerelay-Bytes", `${part?.bytes ?? ""}`] as const,
          ]);
          return Promise.resolve({
            seq,
            data,
            header: { get: (name: string) => fields.get(name) ?? "" },
          });
        },
      },
    },
  } as unknown as Nats;

  /** What a reader makes of it. */
  joined(): Uint8Array[] {
    const limits = { maxMessageBytes: 1e9, maxUnfinishedBytes: 1e9 };
    const joiner = new PartJoiner(limits);
    return this.stored.flatMap(({ headers, data }) => {
      const { part } = headers;
      if (part === undefined) return [data];
      const joined = joiner.push(SUBJECT, { ...headers, part }, data);
      assert(joined.is !== "refused", JSON.stringify(joined));
      return joined.is === "whole" ? [joined.payload] : [];
    });
  }
}

function contextOf(
  stream: FakeStream,
  maxPayloadBytes: number,
  { run = "r1", nowMs = 0, dateMs = 0 } = {},
): WriterContext {
  return {
    ...{ nats: stream.nats, box: "one", run, ackTimeoutMs: 1000 },
    clock: { now: () => nowMs, date: () => dateMs },
    limits: { maxBatchBytes: 512 * 1024, maxPayloadBytes },
    window: new SendWindow(32 * 1024 * 1024, () => 0),
  };
}

const until = () => new UntilAborted(new AbortController().signal);
const small = [announcement("a"), longChunk("a", 0, 100)].map((msg, number) => ({ msg, number }));
const long = { msg: longChunk("a", 1, 50_000), number: 2 };
const expected = [payloadOf(small), payloadOf([long])];

describe("SubjectWriter", () => {
  it("sends a long message from its first part on where its parts are cut otherwise", async () => {
    const stream = new FakeStream();
    const writer = new SubjectWriter(SUBJECT);
    const written = { file: "f", messages: [...small, long] };
    stream.answers = 2;
    await assertRejects(() => writer.write(contextOf(stream, 20_000), written, until()), Error);
    stream.answers = Infinity;
    // As many parts as before, but each is shorter.
    await writer.write(contextOf(stream, 19_000), written, until());
    assertEquals(stream.joined(), expected);
  });

  it("goes on behind the last part that is stored", async () => {
    const stream = new FakeStream();
    const writer = new SubjectWriter(SUBJECT);
    const written = { file: "f", messages: [...small, long] };
    const bytes = expected[0]!.length + expected[1]!.length;
    for (const answers of [2, 1, 1]) {
      stream.answers = answers;
      const context = contextOf(stream, 11_000, { nowMs: 250_000 * stream.stored.length });
      await assertRejects(() => writer.write(context, written, until()), Error, "broke");
    }
    assertEquals(stream.stored.length, 4);
    stream.answers = Infinity;
    await writer.write(contextOf(stream, 11_000, { nowMs: 1_000_000 }), written, until());
    assertEquals([stream.bytes, stream.joined()], [bytes, expected]);
  });

  it("begins a long message anew where readers may have given it up, or who began it has ended", async () => {
    for (const later of [{ nowMs: 700_000 }, { dateMs: 700_000 }, { run: "r2" }]) {
      const stream = new FakeStream();
      const writer = new SubjectWriter(SUBJECT);
      const written = { file: "f", messages: [...small, long] };
      stream.answers = 3;
      await assertRejects(() => writer.write(contextOf(stream, 20_000), written, until()), Error);
      stream.answers = Infinity;
      await writer.write(contextOf(stream, 20_000, later), written, until());
      const parts = stream.stored.map(({ headers }) => headers.part?.index);
      assertEquals([parts, stream.joined()], [[undefined, 0, 1, 0, 1, 2], expected]);
    }
  });

  it("asks for few messages at a time, since each answer may be long", async () => {
    const window = new SendWindow(32 * 1024 * 1024, () => 0);
    const answer = Promise.withResolvers<void>();
    let asked = 0;
    const writing = Array.from({ length: 100 }, async (_, i) => {
      const stream = new FakeStream();
      const { streams } = stream.nats.manager;
      const { getMessage } = streams;
      streams.getMessage = async (...query) => {
        asked++;
        await answer.promise;
        return await getMessage(...query);
      };
      const context = { ...contextOf(stream, 1_000_000), window };
      // Of the middle of a file, so that the server is asked what it has of it.
      await new SubjectWriter(`${SUBJECT}${i}`).write(
        context,
        { file: "f", messages: [long] },
        until(),
      );
      return stream.stored.length;
    });
    await new Promise((resolve) => setTimeout(resolve, 0));
    assertEquals([asked, window.limitBytes], [8, 128 * 1024]);
    answer.resolve();
    assertEquals(await Promise.all(writing), Array(100).fill(1));
  });

  it("asks for nothing anew where the link breaks before it has sent anything", async () => {
    const stream = new FakeStream();
    const writer = new SubjectWriter(SUBJECT);
    const context = contextOf(stream, 20_000);
    await writer.write(context, { file: "f", messages: small }, until());
    stream.nats.manager.streams.getMessage = () => Promise.reject(new Error("it is asked"));
    const written = { file: "f", messages: [long] };
    // Others take all the room, at first and then behind the first part.
    for (const answers of [0, 1]) {
      const others = Promise.withResolvers<void>();
      const broken = new AbortController();
      const take = () => void context.window.through(2 ** 30, until().signal, () => others.promise);
      if (answers === 0) take();
      const writing = writer.write(
        { ...context, onPiece: take },
        written,
        new UntilAborted(broken.signal),
      );
      await new Promise((resolve) => setTimeout(resolve, 0));
      assertEquals(stream.stored.length, 1 + answers);
      broken.abort(new Error("the link broke"));
      await assertRejects(() => writing, Error, "broke");
      others.resolve();
    }
    await writer.write(context, written, until());
    assertEquals([stream.stored.length, stream.joined()], [4, expected]);
  });
});
