import { describe, it } from "node:test";
import { assert, assertEquals, assertInstanceOf, assertRejects } from "@std/assert";
import { InvalidMessage, MessageTooLarge } from "../../../lib/base/errors.ts";
import { type Encoding, Inflation, InflationTurns } from "../../../lib/comms/grpc/inflate.ts";
import { type CallHandlers, GrpcService } from "../../../lib/comms/grpc/service.ts";
import type { TableMessage } from "../../../lib/comms/grpc/message_proxy.ts";
import type { WriteCall } from "../../../lib/comms/grpc/write_call.ts";
import type { LogMsg } from "../../../lib/encoding/log_msg.ts";
import { BufferPool } from "../../../lib/memory/buffer_pool.ts";
import { concat } from "../../encoding/rrd_builder.ts";
import { checksum, randomBytes } from "../../contract/streams.ts";
import { randomPieces, seeded } from "../../random.ts";
import { callBody, field, frame, framesOf, textField } from "./frames.ts";
import { MemoryStream } from "./memory_stream.ts";

const NEW = "/rerun.sdk_comms.v1alpha1.MessageProxyService/";
const LIMIT = 64 * 1024 * 1024;

async function pack(bytes: Uint8Array<ArrayBuffer>, encoding: Encoding = "gzip") {
  const packed = new Blob([bytes]).stream().pipeThrough(new CompressionStream(encoding));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

/** So many zeros, gzipped, without making them all at once. */
async function bomb(megabytes: number): Promise<Uint8Array> {
  const zeros = new Uint8Array(1024 * 1024);
  let left = megabytes;
  const source = new ReadableStream<BufferSource>({
    pull: (controller) => left-- > 0 ? controller.enqueue(zeros) : controller.close(),
  });
  const packed = source.pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(packed).arrayBuffer());
}

function service(options: ConstructorParameters<typeof GrpcService<undefined>>[1] = {}) {
  const calls: WriteCall[] = [];
  const tables: TableMessage[] = [];
  const failed: Error[] = [];
  const handlers: CallHandlers<undefined> = {
    writeMessages: (call) => void calls.push(call),
    readMessages: async function* () {},
    writeTable: (table) => void tables.push(table),
    readTables: async function* () {},
    isServing: () => true,
    failed: (error) => void failed.push(error),
  };
  const all = new GrpcService<undefined>(handlers, options);
  const open = (method: string, encoding: string) => {
    const stream = new MemoryStream(NEW + method, { "grpc-encoding": encoding });
    all.accept(stream, undefined);
    return stream;
  };
  return { open, calls, tables, failed };
}

/** What is saved of each message. */
class Taker {
  readonly taken: Uint8Array[] = [];
  readonly quits: (Error | undefined)[] = [];
  take(msgs: LogMsg[]): undefined {
    assertEquals(this.quits, []);
    for (const { encoded } of msgs) this.taken.push(encoded.bytes.slice());
  }
  quit(error?: Error): void {
    this.quits.push(error);
  }
}

function recorded(): Uint8Array[] {
  const { open, calls } = service();
  const stream = open("WriteMessages", "identity");
  const taker = new Taker();
  calls[0]!.admit(taker);
  stream.send(callBody("0.41.0"));
  return taker.taken;
}

describe("compressed messages", () => {
  it("come as if they were plain, among plain ones, however they are cut", async () => {
    const expected = recorded();
    for (let seed = 1; seed <= 20; seed++) {
      const random = seeded(seed);
      const encoding = random() < 0.5 ? "gzip" : "deflate";
      const parts: Uint8Array[] = [];
      for (const message of framesOf(callBody("0.41.0"))) {
        const isPlain = random() < 0.5;
        parts.push(isPlain ? frame(message) : frame(await pack(message, encoding), 1));
      }
      const { open, calls, failed } = service({ pool: new BufferPool() });
      const stream = open("WriteMessages", encoding);
      const taker = new Taker();
      calls[0]!.admit(taker);
      for (const piece of randomPieces(concat(...parts), random)) {
        stream.send(piece);
        if (random() < 0.1) await new Promise((resolve) => setTimeout(resolve));
      }
      stream.finish();
      await stream.ended;
      assertEquals([stream.status, stream.held, failed], [[0, ""], 0, []]);
      assertEquals(taker.quits, [undefined]);
      assertEquals(taker.taken, expected, `seed ${seed}`);
      assertEquals([calls[0]!.unfinishedBytes, calls[0]!.isHeldBack], [0, false]);
    }
  });

  it("keep the peer from sending more while they are inflated, and count", async () => {
    const { open, calls } = service();
    const stream = open("WriteMessages", "gzip");
    calls[0]!.admit(new Taker());
    const [message] = framesOf(callBody("0.41.0"));
    const packed = frame(await pack(message!), 1);
    stream.send(concat(packed, packed));
    assertEquals([stream.held, calls[0]!.isHeldBack], [2 * packed.length, true]);
    assert(calls[0]!.unfinishedBytes >= packed.length);
    stream.finish();
    await stream.ended;
    assertEquals([stream.status[0], calls[0]!.messages, stream.held], [0, 2, 0]);
  });

  it("that would become too large end the call when they are", async () => {
    const data = await bomb(150);
    assert(data.length < 300_000);
    const { open, calls } = service({ maxMessageBytes: LIMIT });
    const stream = open("WriteMessages", "gzip");
    const taker = new Taker();
    calls[0]!.admit(taker);
    let most = 0;
    calls[0]!.onHeld = () => most = Math.max(most, calls[0]!.unfinishedBytes);
    stream.send(frame(data, 1));
    await stream.ended;
    assertEquals(stream.status[0], 8, stream.status[1]);
    assertInstanceOf(taker.quits[0], MessageTooLarge);
    assert(most > LIMIT / 2 && most <= LIMIT + data.length, `${most} bytes were counted`);
    assertEquals(calls[0]!.unfinishedBytes, 0);
  });

  it("are given up with their call, whoever ends it", async () => {
    const data = frame(await bomb(50), 1);
    for (const how of ["fail", "leave"] as const) {
      const { open, calls } = service();
      const stream = open("WriteMessages", "gzip");
      const taker = new Taker();
      calls[0]!.admit(taker);
      stream.send(concat(data, data));
      const grown = Promise.withResolvers<void>();
      calls[0]!.onHeld = () => grown.resolve();
      await grown.promise;
      if (how === "fail") {
        calls[0]!.fail(new MessageTooLarge(2, 1));
        assertEquals(calls[0]!.unfinishedBytes, 0);
        assertEquals(taker.quits.length, 1);
      } else {
        stream.leave();
        // What came whole is no log message.
        while (taker.quits.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
        assertInstanceOf(taker.quits[0], InvalidMessage);
      }
      assertEquals(taker.taken, []);
    }
  });

  it("that are damaged, or of a kind nobody knows, are refused", async () => {
    const { open, calls, failed } = service();
    const good = await pack(framesOf(callBody("0.41.0"))[0]!);
    const damaged = good.slice();
    damaged.fill(0xff, 12, 40);
    for (const bytes of [damaged, good.subarray(0, 30), new Uint8Array()]) {
      const stream = open("WriteMessages", "gzip");
      calls.at(-1)!.admit(new Taker());
      stream.send(frame(bytes, 1));
      await stream.ended;
      assertEquals(stream.status[0], 3, stream.status[1]);
    }
    const stream = open("WriteMessages", "zstd");
    assertEquals(stream.status[0], 12);
    assertEquals(stream.response!["grpc-accept-encoding"], "identity,gzip,deflate");
    assertEquals(failed.length, 1);
  });

  it("may be tables, too", async () => {
    const table = concat(field(1, textField(1, "t")), field(2, textField(2, "data")));
    const { open, tables } = service({ maxTableBytes: 1000 });
    const stream = open("WriteTable", "gzip");
    stream.send(frame(await pack(table), 1));
    stream.finish();
    await stream.ended;
    assertEquals([stream.status, tables], [[0, ""], [{ id: "t", bytes: table }]]);
    const large = open("WriteTable", "gzip");
    large.send(frame(await pack(new Uint8Array(100_000)), 1));
    large.finish();
    await large.ended;
    assertEquals([large.status[0], tables.length], [8, 1]);
  });

  it("are let go of at once where they are given up before their turn", async () => {
    const turns = new InflationTurns();
    const running = [await turns.begin(), await turns.begin()];
    const options = { encoding: "gzip", maxMessageBytes: 100, turns } as const;
    const packed = await pack(Uint8Array.of(1, 2, 3));
    const [first, given, last] = Array.from({ length: 3 }, () => new Inflation(options));
    const whole = [first!.run(packed), last!.run(packed)];
    let isOver = false;
    given!.run(packed).catch((error) => isOver = error.message === "The call is over");
    given!.cancel();
    await new Promise((resolve) => setTimeout(resolve, 0));
    assertEquals([running, isOver, given!.heldBytes], [[true, true], true, 0]);
    for (const _ of running) turns.end();
    assertEquals(await Promise.all(whole), [Uint8Array.of(1, 2, 3), Uint8Array.of(1, 2, 3)]);
    // All turns are free again.
    assertEquals([await turns.begin(), await turns.begin()], [true, true]);
  });

  it("that hardly shrink become what they were, in few pieces or many", async () => {
    // Pieces of such data are short, and a runtime might cut several out of one buffer.
    for (const length of [100_000, 33 * 1024 * 1024]) {
      const data = randomBytes(length, seeded(length));
      const inflation = new Inflation({ encoding: "gzip", maxMessageBytes: length });
      const whole = await inflation.run(await pack(data));
      assertEquals([whole.length, checksum(whole)], [length, checksum(data)]);
    }
  });

  it("inflate into memory with room before them", async () => {
    const inflation = new Inflation({ encoding: "gzip", maxMessageBytes: 100, headroom: 16 });
    const whole = await inflation.run(await pack(Uint8Array.of(1, 2, 3)));
    assertEquals([whole, whole.byteOffset], [Uint8Array.of(1, 2, 3), 16]);
    await assertRejects(() => inflation.run(new Uint8Array(9)), InvalidMessage);
  });
});
