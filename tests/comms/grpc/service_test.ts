import { describe, it } from "node:test";
import { assert, assertEquals, assertInstanceOf } from "@std/assert";
import { readFrame, type TableMessage } from "../../../lib/comms/grpc/message_proxy.ts";
import {
  type AnswerInfo,
  type CallHandlers,
  GrpcService,
  type GrpcServiceOptions,
} from "../../../lib/comms/grpc/service.ts";
import { CallCut, GrpcError, STATUS } from "../../../lib/comms/grpc/status.ts";
import type { WriteCall } from "../../../lib/comms/grpc/write_call.ts";
import { InvalidMessage } from "../../../lib/base/errors.ts";
import { BufferPool } from "../../../lib/memory/buffer_pool.ts";
import { FIRST_PIECES, PIECES } from "../../../lib/memory/piece_slabs.ts";
import type { LogMsg } from "../../../lib/encoding/log_msg.ts";
import { concat } from "../../encoding/rrd_builder.ts";
import { randomPieces, seeded } from "../../random.ts";
import { callBody, field, frame, framesOf, textField, VERSIONS } from "./frames.ts";
import { MemoryStream } from "./memory_stream.ts";

const NEW = "/rerun.sdk_comms.v1alpha1.MessageProxyService/";
const EMPTY = frame(new Uint8Array());

/** A taker of messages that says when it may be given more. */
class Taker {
  /** The messages' bytes, copied at once as a file would. */
  readonly taken: Uint8Array[] = [];
  quits: (Error | undefined)[] = [];
  isSlow = false;
  #behind: (() => void) | undefined;

  get isBehind(): boolean {
    return this.#behind !== undefined;
  }

  take(msgs: LogMsg[]): Promise<void> | undefined {
    assert(!this.isBehind, "not before it says so");
    assertEquals(this.quits, []);
    for (const { encoded } of msgs) this.taken.push(encoded.bytes.slice());
    if (!this.isSlow) return undefined;
    return new Promise((resolve) => this.#behind = resolve);
  }

  quit(error?: Error): void {
    this.quits.push(error);
  }

  async goOn(): Promise<void> {
    const resolve = this.#behind;
    this.#behind = undefined;
    resolve?.();
    await turns();
  }
}

/** Lets what waits for promises alone go on. */
async function turns(): Promise<void> {
  for (let i = 0; i < 20; i++) await undefined;
}

interface Told {
  calls: WriteCall[];
  failed: Error[];
  tables: TableMessage[];
}

function service(handlers: Partial<CallHandlers<string>> = {}, options: GrpcServiceOptions = {}) {
  const told: Told = { calls: [], failed: [], tables: [] };
  const all: CallHandlers<string> = {
    writeMessages: (call) => void told.calls.push(call),
    readMessages: () => frames([]),
    writeTable: (table) => void told.tables.push(table),
    readTables: () => frames(told.tables.map(({ bytes }) => frame(bytes))),
    isServing: () => true,
    failed: (error, _, peer) => {
      assertEquals(peer, "peer");
      told.failed.push(error);
    },
    ...handlers,
  };
  const service = new GrpcService<string>(all, options);
  const open = (path: string, headers?: Record<string, string>) => {
    const stream = new MemoryStream(path, headers);
    service.accept(stream, "peer");
    return stream;
  };
  return { open, ...told };
}

async function* frames(all: readonly Uint8Array[]): AsyncGenerator<Uint8Array[]> {
  for (const each of all) yield [each];
}

/** The messages of a recorded call as `.rrd` has them, but for the 16 bytes before each. */
function recorded(version: typeof VERSIONS[number]): Uint8Array[] {
  const { open, calls } = service();
  const stream = open(NEW + "WriteMessages");
  const taker = new Taker();
  calls[0]!.admit(taker);
  stream.send(callBody(version));
  return taker.taken;
}

describe("a WriteMessages call", () => {
  for (const version of VERSIONS) {
    it(`of SDK ${version} is answered when all was taken, however it comes and is taken`, async () => {
      const body = callBody(version);
      const expected = recorded(version);
      assertEquals(expected.length, framesOf(body).length);
      for (let seed = 1; seed <= 30; seed++) {
        const random = seeded(seed);
        const { open, calls, failed } = service({}, { pool: new BufferPool() });
        const stream = open(NEW + "WriteMessages");
        const taker = new Taker();
        const admitAt = random() < 0.3 ? random() * 20 : 0;
        let n = 0;
        for (const piece of randomPieces(body, random)) {
          if (n++ >= admitAt && !stream.isWide) calls[0]!.admit(taker);
          taker.isSlow = random() < 0.5;
          stream.send(piece);
          if (random() < 0.3) await taker.goOn();
        }
        stream.finish();
        if (!stream.isWide) calls[0]!.admit(taker);
        while (taker.isBehind) {
          assertEquals(stream.response, undefined);
          taker.isSlow = random() < 0.5;
          await taker.goOn();
        }
        await stream.ended;
        assertEquals([stream.status, stream.messages], [[0, ""], [new Uint8Array()]]);
        assertEquals([taker.quits, stream.held, failed], [[undefined], 0, []]);
        assertEquals(taker.taken, expected, `seed ${seed}`);
      }
    });
  }

  const one = concat(...framesOf(callBody("0.41.0")).slice(0, 1).map((m) => frame(m)));

  it("gives no more to send while the taker is behind", async () => {
    const { open, calls } = service();
    const stream = open(NEW + "WriteMessages");
    const taker = new Taker();
    calls[0]!.admit(taker);
    stream.send(one);
    assertEquals(stream.held, 0);
    taker.isSlow = true;
    stream.send(one);
    stream.send(one);
    assertEquals([stream.held, taker.taken.length], [2 * one.length, 2]);
    assert(calls[0]!.isHeldBack && calls[0]!.unfinishedBytes > 0);
    await taker.goOn();
    assertEquals([stream.held, taker.taken.length], [2 * one.length, 3]);
    taker.isSlow = false;
    await taker.goOn();
    assertEquals([stream.held, calls[0]!.unfinishedBytes], [0, 0]);
  });

  it("waits to be taken, with the small window that it has till then", async () => {
    const { open, calls } = service();
    const stream = open(NEW + "WriteMessages");
    stream.send(one);
    stream.finish();
    await turns();
    assertEquals([stream.isWide, stream.held, stream.response], [false, one.length, undefined]);
    const taker = new Taker();
    calls[0]!.admit(taker);
    await stream.ended;
    assertEquals([taker.taken.length, stream.status[0], stream.held], [1, 0, 0]);
  });

  it("may be refused instead, at once or later", async () => {
    const refusal = new GrpcError(STATUS.PERMISSION_DENIED, "not you");
    const { open } = service({
      writeMessages() {
        throw refusal;
      },
    });
    const stream = open(NEW + "WriteMessages");
    await stream.ended;
    assertEquals(stream.status, [7, "not you"]);
    stream.send(one);
    const { open: openLater, calls } = service();
    const later = openLater(NEW + "WriteMessages");
    later.send(one);
    calls[0]!.fail(refusal);
    await later.ended;
    assertEquals(later.status[0], 7);
    const taker = new Taker();
    calls[0]!.admit(taker);
    later.send(one);
    assertEquals([taker.taken, taker.quits], [[], []]);
  });

  it("that is refused in the midst gives what came before, then the error, to both sides", async () => {
    const bad: [number, Uint8Array][] = [
      [3, frame(new Uint8Array(9))],
      [13, frame(one, 1)],
      [12, frame(one, 2)],
      [8, frame(new Uint8Array(100_000))],
    ];
    for (const [status, bytes] of bad) {
      for (const isSlow of [false, true]) {
        const { open, calls } = service({}, { maxMessageBytes: 50_000 });
        const stream = open(NEW + "WriteMessages");
        const taker = new Taker();
        taker.isSlow = isSlow;
        calls[0]!.admit(taker);
        stream.send(one);
        stream.send(concat(one, bytes, one));
        while (taker.isBehind) {
          assertEquals(stream.response, undefined);
          await taker.goOn();
        }
        await stream.ended;
        assertEquals([taker.taken.length, taker.quits.length], [2, 1]);
        assertEquals(stream.status[0], status);
        assertEquals(stream.status[1], taker.quits[0]!.message.replaceAll("%", "%25"));
        assertEquals(stream.response!["grpc-accept-encoding"], "identity,gzip,deflate");
        // What comes all the same is let through to nowhere.
        stream.send(one);
        stream.finish();
        await turns();
        assertEquals([taker.taken.length, stream.held], [2, 0]);
      }
    }
  });

  it("that breaks off says where", async () => {
    for (const cut of [0, one.length, one.length + 3, one.length * 2 - 1]) {
      for (const isSlow of [false, true]) {
        const { open, calls } = service();
        const stream = open(NEW + "WriteMessages");
        const taker = new Taker();
        calls[0]!.admit(taker);
        taker.isSlow = isSlow;
        stream.send(concat(one, one).subarray(0, cut));
        stream.leave();
        while (taker.isBehind) await taker.goOn();
        await turns();
        const [error] = taker.quits;
        assertInstanceOf(error, CallCut);
        assertEquals([error.receivedBytes, error.isInMessage], [
          cut % one.length,
          cut % one.length > 0,
        ]);
        assertEquals([taker.taken.length, calls[0]!.unfinishedBytes], [
          Math.floor(cut / one.length),
          0,
        ]);
      }
    }
  });

  it("that ends inside a message is told so", async () => {
    const { open, calls } = service();
    const stream = open(NEW + "WriteMessages");
    const taker = new Taker();
    calls[0]!.admit(taker);
    stream.send(concat(one, one.subarray(0, 9)));
    stream.finish();
    await stream.ended;
    assertEquals([stream.status[0], taker.taken.length], [13, 1]);
    assertInstanceOf(taker.quits[0], CallCut);
  });

  it("keeps memory that is read into, until nobody reads into it", async () => {
    const { open, calls } = service();
    const [before] = [PIECES.bytesInUse + FIRST_PIECES.bytesInUse];
    for (const how of ["data", "readsEnded"]) {
      const stream = open(NEW + "WriteMessages");
      const call = calls.at(-1)!;
      call.admit(new Taker());
      const large = frame(new Uint8Array(1_000_000));
      stream.send(large.subarray(0, 400_000));
      const room = stream.sink!.readInto!(600_000)!;
      assert(room.length > 100_000);
      call.fail(new GrpcError(STATUS.RESOURCE_EXHAUSTED, "too many"));
      await stream.ended;
      const inUse = PIECES.bytesInUse + FIRST_PIECES.bytesInUse;
      assertEquals([inUse - before!, call.unfinishedBytes > 0], [256 * 1024, true]);
      if (how === "readsEnded") call.readsEnded();
      else {
        stream.held += 100;
        stream.sink!.data(room.subarray(0, 100));
      }
      assertEquals(PIECES.bytesInUse + FIRST_PIECES.bytesInUse, before);
      assertEquals([call.unfinishedBytes, stream.sink!.readInto!(600_000)], [0, undefined]);
    }
  });

  it("ends with its own deadline, if it has one", async () => {
    const timers: { ms: number; task: () => void; isCancelled: boolean }[] = [];
    const timer = (ms: number, task: () => void) => {
      const each = { ms, task, isCancelled: false };
      timers.push(each);
      return () => void (each.isCancelled = true);
    };
    const { open, calls } = service({}, { timer });
    open(NEW + "WriteMessages");
    open(NEW + "WriteMessages", { "grpc-timeout": "99999999H" });
    assertEquals(timers, []);
    const streams = [1, 2].map(() => open(NEW + "WriteMessages", { "grpc-timeout": "2S" }));
    const takers = [new Taker(), new Taker()];
    takers.forEach((taker, i) => calls[2 + i]!.admit(taker));
    assertEquals(timers.map(({ ms }) => ms), [2000, 2000]);
    streams[0]!.send(one);
    timers[0]!.task();
    await streams[0]!.ended;
    assertEquals([streams[0]!.status[0], takers[0]!.taken.length], [4, 1]);
    assertInstanceOf(takers[0]!.quits[0], GrpcError);
    streams[1]!.finish();
    await streams[1]!.ended;
    assertEquals(timers.map(({ isCancelled }) => isCancelled), [true, true]);
    const bad = open(NEW + "WriteMessages", { "grpc-timeout": "soon" });
    assertEquals(bad.status[0], 3);
  });

  it("ends with its deadline while it waits for a place, though it has come whole", async () => {
    const tasks: (() => void)[] = [];
    const timer = (_: number, task: () => void) => {
      tasks.push(task);
      return () => {};
    };
    const { open, calls } = service({}, { timer });
    const stream = open(NEW + "WriteMessages", { "grpc-timeout": "2S" });
    stream.send(one);
    stream.finish();
    tasks[0]!();
    await stream.ended;
    assertEquals(stream.status[0], 4);
    assert(!calls[0]!.admit(new Taker()), "it takes no place any more");
  });

  it("whose taker fails is told so", async () => {
    const { open, calls } = service();
    const stream = open(NEW + "WriteMessages");
    calls[0]!.admit({
      take: () => undefined,
      quit: () => Promise.reject(new GrpcError(STATUS.UNAVAILABLE, "the disk is full")),
    });
    stream.finish();
    await stream.ended;
    assertEquals(stream.status, [14, "the disk is full"]);
  });
});

describe("a ReadMessages call", () => {
  /** The messages of a recorded call. */
  function messages(): LogMsg[] {
    const { open, calls } = service();
    const stream = open(NEW + "WriteMessages");
    const all: LogMsg[] = [];
    calls[0]!.admit({
      take: (msgs) => void all.push(...msgs),
      quit() {},
    });
    stream.send(callBody("0.41.0"));
    return all;
  }

  it("is answered at once, gets frames as they come, and ends well when they end", async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const { open } = service({
      async *readMessages() {
        for (const msg of messages()) yield readFrame(msg, "v1alpha1") as Uint8Array[];
        await promise;
      },
    });
    const stream = open(NEW + "ReadMessages");
    stream.send(EMPTY);
    assertEquals(stream.response, undefined);
    stream.finish();
    assertEquals([stream.response![":status"], stream.response!["content-type"]], [
      "200",
      "application/grpc",
    ]);
    await turns();
    assertEquals(stream.trailers, undefined);
    resolve();
    await stream.ended;
    assertEquals(concat(...stream.written), callBody("0.41.0"));
    assertEquals(stream.status, [0, ""]);
  });

  it("asks for no more than its reader takes", async () => {
    let asked = 0;
    const { open } = service({
      async *readMessages() {
        for (;; asked++) yield [frame(new Uint8Array(100_000))];
      },
    });
    const stream = open(NEW + "ReadMessages");
    stream.window = 1_000_000;
    stream.send(EMPTY);
    stream.finish();
    for (let i = 0; i < 20; i++) await turns();
    assertEquals(asked, 9);
    stream.take();
    for (let i = 0; i < 20; i++) await turns();
    assertEquals(asked, 10);
    stream.leave();
    await turns();
    assertEquals(asked, 10);
  });

  it("says when nobody reads any more", async () => {
    const infos: AnswerInfo[] = [];
    let isReturned = false;
    const { open, failed } = service({
      // deno-lint-ignore require-yield -- it has nothing to say
      async *readMessages(info) {
        infos.push(info);
        try {
          await new Promise((resolve) => info.signal.addEventListener("abort", resolve));
        } finally {
          isReturned = true;
        }
      },
    });
    const stream = open(NEW + "ReadMessages", { authorization: "Bearer x" });
    stream.send(EMPTY);
    stream.finish();
    assertEquals(infos[0]!.method, { name: "ReadMessages", dialect: "v1alpha1" });
    assertEquals(infos[0]!.headers.get("authorization"), "Bearer x");
    stream.leave();
    await turns();
    assert(isReturned && infos[0]!.signal.aborted);
    assertEquals(failed, []);
  });

  it("may be refused, before and in the midst of it", async () => {
    const refusal = new GrpcError(STATUS.FAILED_PRECONDITION, "needs --serve-grpc");
    const { open, failed } = service({
      readMessages({ headers }) {
        if (headers.has("x-now")) throw refusal;
        return (async function* () {
          yield [EMPTY];
          throw refusal;
        })();
      },
    });
    for (const headers of [{ "x-now": "1" }, {}] as Record<string, string>[]) {
      const stream = open(NEW + "ReadMessages", headers);
      stream.send(EMPTY);
      stream.finish();
      await stream.ended;
      assertEquals(stream.status, [9, "needs --serve-grpc"]);
    }
    assertEquals(failed, [refusal, refusal]);
  });

  it("has one message in its request", async () => {
    for (const bytes of [new Uint8Array(), concat(EMPTY, EMPTY), frame(new Uint8Array(70_000))]) {
      const { open, failed } = service();
      const stream = open(NEW + "ReadMessages");
      stream.send(bytes);
      stream.finish();
      await stream.ended;
      assertEquals(stream.status[0], bytes.length > 100 ? 8 : 3);
      assertEquals([failed.length, stream.held], [1, 0]);
    }
  });
});

describe("tables and probes", () => {
  it("come to those who read tables as they were sent", async () => {
    const { open, tables } = service();
    const table = concat(field(1, textField(1, "t")), field(2, textField(2, "data")));
    const write = open(NEW + "WriteTable");
    write.send(frame(table).subarray(0, 9));
    write.send(frame(table).subarray(9));
    write.finish();
    await write.ended;
    assertEquals([write.status, write.messages], [[0, ""], [new Uint8Array()]]);
    assertEquals(tables, [{ id: "t", bytes: table }]);
    const read = open(NEW + "ReadTables");
    read.send(EMPTY);
    read.finish();
    await read.ended;
    assertEquals(read.messages, [table]);
  });

  it("that are too large, or none, are refused", async () => {
    const { open, failed } = service({}, { maxTableBytes: 1000 });
    for (const [bytes, status] of [[frame(new Uint8Array(1001)), 8], [EMPTY, 3]] as const) {
      const stream = open(NEW + "WriteTable");
      stream.send(bytes);
      stream.finish();
      await stream.ended;
      assertEquals(stream.status[0], status);
    }
    assertInstanceOf(failed[1], InvalidMessage);
  });

  it("are told how the server is", async () => {
    const { open } = service({ isServing: () => false });
    const stream = open("/grpc.health.v1.Health/Check");
    stream.send(EMPTY);
    stream.finish();
    await stream.ended;
    assertEquals([stream.status[0], stream.messages], [0, [Uint8Array.of(8, 2)]]);
  });
});

describe("other calls", () => {
  it("are unimplemented, or of another content type", () => {
    const { open, failed } = service();
    for (const path of [NEW + "Nothing", "/", "/grpc.health.v1.Health/Watch", "/x/y\u0007"]) {
      const stream = open(path);
      assertEquals([stream.response![":status"], stream.status[0]], ["200", 12]);
    }
    for (
      const headers of [
        { "content-type": "application/json" },
        { "content-type": "application/grpc-web+proto" },
        { "content-type": "application/grpc+json" },
        { ":method": "GET" },
      ] as Record<string, string>[]
    ) assertEquals(open(NEW + "ReadMessages", headers).response, { ":status": "415" });
    assertEquals(failed.length, 8);
    assert(failed.every(({ message }) => !/\p{Cc}/u.test(message)));
    for (const type of ["application/grpc+proto", "application/grpc;charset=utf-8"]) {
      assertEquals(open(NEW + "ReadMessages", { "content-type": type }).response, undefined);
    }
  });
});
