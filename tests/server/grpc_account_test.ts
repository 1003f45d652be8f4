import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { H2Connection } from "../../lib/comms/h2/connection.ts";
import { timepointOf } from "../../lib/encoding/arrow/arrow_timepoint.ts";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import { callBody, field, frame, framesOf, textField, VERSIONS } from "../comms/grpc/frames.ts";
import { drain } from "../comms/h2/take.ts";
import { frame as h2Frame, hello, REQUEST } from "../comms/h2/wire.ts";
import { concat } from "../encoding/rrd_builder.ts";
import { callFields, type GrpcPeer, PeerCall, PROXY } from "./grpc_peer.ts";
import { handClock, rest, Started, TRANSPORTS } from "./grpc_started.ts";

const [KiB, MiB] = [1024, 1024 * 1024];
const WRITE = `${PROXY}/WriteMessages`;
const TABLE = `${PROXY}/WriteTable`;
/** Of a message of 16 MiB. */
const HEAD = Uint8Array.of(0, 1, 0, 0, 0);

function table(id: string, bytes: number): Uint8Array {
  const length = [bytes & 127 | 128, bytes >> 7 & 127 | 128, bytes >> 14 & 127 | 128, bytes >> 21];
  return concat(
    field(1, textField(1, id)),
    Uint8Array.of(2 << 3 | 2, ...length),
    new Uint8Array(bytes).fill(id.charCodeAt(0)),
  );
}

/** Sends what another connection has to wait for. */
async function begin(peer: GrpcPeer, path: string, kilobytes: number) {
  const call = peer.call(path);
  await call.send(HEAD);
  for (let sent = 0; sent < kilobytes; sent += 64) await call.send(new Uint8Array(64 * KiB));
  await rest();
  return call;
}

/** All connections are left, or fail. */
async function emptied(started: Started, ...peers: GrpcPeer[]): Promise<void> {
  for (const peer of peers) peer.cut();
  for (let i = 0; i < 100 && started.server.stats.unfinishedBytes > 0; i++) await rest();
  assertEquals(started.server.stats.unfinishedBytes, 0);
}

describe("what is held for calls", () => {
  it("has tables in it that are on their way, until they are whole", async () => {
    await using started = await Started.on();
    const peer = await started.connect();
    const call = await begin(peer, TABLE, 512);
    const { unfinishedBytes } = started.server.stats;
    assert(unfinishedBytes >= 512 * KiB && unfinishedBytes < 2 * MiB, `${unfinishedBytes}`);
    const whole = peer.call(TABLE);
    await whole.send(frame(table("a", 300 * KiB)));
    await rest();
    // It may be the first message of two.
    assert(started.server.stats.unfinishedBytes >= unfinishedBytes + 300 * KiB);
    whole.stream.end();
    assertEquals(await whole.status, [0, ""]);
    await rest();
    assert(started.server.stats.unfinishedBytes <= unfinishedBytes + KiB);
    call.stream.reset(8);
    await rest();
    assertEquals(started.server.stats.unfinishedBytes < 4 * KiB, true);
    await emptied(started, peer);
  });

  for (const transport of TRANSPORTS) {
    it(`goes with the oldest where it is too much, ${transport}`, async () => {
      await using started = await Started.on(transport, { maxUnfinishedBytes: 2 * MiB });
      const [a, b, c] = [await started.connect(), await started.connect(), await started.connect()];
      // An SDK that holds nothing is not concerned, however old.
      const sdk = c.call(WRITE);
      await sdk.send(callBody("0.41.0"));
      const first = await begin(a, TABLE, 1024);
      const second = begin(b, TABLE, 1536);
      const [status, text] = await first.status;
      assertEquals(status, 8, text);
      assert(/--max-unfinished/.test(text), text);
      assert((await second).stream.isWritable);
      await a.ended;
      assert(started.server.stats.unfinishedBytes <= 2 * MiB);
      sdk.stream.end();
      assertEquals(await sdk.status, [0, ""]);
      await emptied(started, b, c);
    });
  }

  it("has its header fields in it, and goes with them", async () => {
    await using started = await Started.on("in memory", { maxUnfinishedBytes: MiB });
    const [a, b] = [await started.connect(), await started.connect()];
    const metadata = Object.fromEntries(
      Array.from({ length: 15 }, (_, i) => [`x-${i}`, "y".repeat(1000)]),
    );
    const calls = Array.from({ length: 7 }, () => a.call(TABLE, metadata));
    await rest();
    const { unfinishedBytes } = started.server.stats;
    assert(unfinishedBytes > 7 * 15_000 && unfinishedBytes < 7 * 19_000, `${unfinishedBytes}`);
    for (const call of calls) await call.send(HEAD);
    await calls[0]!.send(new Uint8Array(64 * KiB));
    await rest();
    await begin(b, TABLE, 896);
    await a.ended;
    await emptied(started, b);
  });

  it("has frames and header blocks in it that are not whole", async () => {
    await using started = await Started.on();
    const { writable } = started.net.connect(started.server.addr.port);
    const writer = writable.getWriter();
    await writer.write(hello());
    await writer.write(h2Frame(1, 0, 1, REQUEST));
    await writer.write(h2Frame(9, 0, 1, new Uint8Array(10_000)));
    await writer.write(h2Frame(9, 0, 1, new Uint8Array(5000)).subarray(0, 1000));
    await rest();
    const { unfinishedBytes } = started.server.stats;
    assert(unfinishedBytes >= 15_000 && unfinishedBytes < 17_000, `${unfinishedBytes}`);
    await writer.abort(new Error("reset by peer")).catch(() => {});
    await emptied(started);
  });

  it("has the head of an HTTP request in it", async () => {
    await using started = await Started.on();
    const client = started.net.connect(started.server.addr.port);
    const writer = client.writable.getWriter();
    await writer.write(new TextEncoder().encode(`GET / HTTP/1.1\r\nx: ${"y".repeat(9000)}`));
    await rest();
    await writer.write(new Uint8Array(1000).fill(0x79));
    await rest();
    const { unfinishedBytes } = started.server.stats;
    assert(unfinishedBytes >= 9000 && unfinishedBytes < 17_000, `${unfinishedBytes}`);
    client.reset(new Error("reset by peer"));
    await emptied(started);
  });

  it("has what a reader of tables does not take, and keeps from being forgotten", async () => {
    await using started = await Started.on("in memory", { maxUnfinishedBytes: 16 * MiB });
    const [writes, reads] = [await started.connect(), await started.connect()];
    const write = async (bytes: number) => {
      const call = writes.call(TABLE);
      const body = frame(table("a", bytes));
      for (let at = 0; at < body.length; at += 256 * KiB) {
        await call.send(body.subarray(at, at + 256 * KiB));
      }
      call.stream.end();
      assertEquals(await call.status, [0, ""]);
      await rest();
    };
    await write(6 * MiB);
    const readers = Array.from({ length: 3 }, () => {
      const call = reads.ask(`${PROXY}/ReadTables`);
      const { sink } = call.stream;
      // It takes nothing.
      call.stream.sink = { ...sink!, data: () => true };
      return call;
    });
    await rest();
    // Copies of what waits for each of them.
    const { unfinishedBytes: first } = started.server.stats;
    assert(first > 3 * 256 * KiB && first < 2 * MiB, `${first}`);
    await write(7 * MiB);
    // The table that was replaced is still theirs, all together.
    const { unfinishedBytes: second } = started.server.stats;
    assert(second > 6 * MiB && second < 8 * MiB, `${first} ${second}`);
    const late = reads.ask(`${PROXY}/ReadTables`);
    late.stream.sink = { ...late.stream.sink!, data: () => true };
    await rest();
    await write(MiB);
    assert(started.server.stats.unfinishedBytes > 13 * MiB);
    // With one more that is on its way it is too much.
    void begin(writes, TABLE, 4 * 1024);
    assertEquals((await readers[0]!.status)[0] < 0, true);
    await reads.ended;
    await emptied(started, writes);
  });

  it("has what is being written to a viewer that does not read, which goes with it", async () => {
    await using started = await Started.on("in memory", { maxUnfinishedBytes: 4 * MiB });
    const writes = await started.connect();
    const call = writes.call(TABLE);
    await call.send(frame(table("a", 1024 * KiB)));
    call.stream.end();
    assertEquals(await call.status, [0, ""]);
    await rest();
    const windows = { streamWindow: 2 ** 30, connectionWindow: 2 ** 30 };
    /** Asks, takes all that is answered only if it is told to. */
    const viewer = async (reads: boolean) => {
      const h2 = new H2Connection("client", windows);
      const { stream } = new PeerCall(h2.request(callFields(`${PROXY}/ReadTables`))!);
      stream.write(new Uint8Array(5));
      stream.end();
      const client = started.net.connect(started.server.addr.port);
      await client.writable.getWriter().write(drain(h2));
      if (reads) void client.readable.pipeTo(new WritableStream()).catch(() => {});
      await rest();
      return client;
    };
    const quick = await viewer(true);
    assertEquals(started.server.stats.unfinishedBytes < 4 * KiB, true);
    const stuck: Awaited<ReturnType<typeof viewer>>[] = [];
    let before = started.server.stats.unfinishedBytes;
    for (let i = 0; i < 3; i++) {
      stuck.push(await viewer(false));
      const more = started.server.stats.unfinishedBytes - before;
      before += more;
      // 64 KiB at least are being written, and 572 wait for that.
      assert(more > 630 * KiB && more < 1100 * KiB, `${more}`);
    }
    // With what is on its way it is too much: who has taken nothing for longest is cut off.
    const big = begin(writes, TABLE, 3 * 1024);
    await stuck[0]!.closed;
    assert((await big).stream.isWritable);
    for (const client of [quick, ...stuck]) client.reset(new Error("reset by peer"));
    await emptied(started, writes);
  });

  it("is asked for within the deadlines: a request that does not begin, go on, or end", async () => {
    const clock = handClock();
    await using started = await Started.on("in memory", { ...clock.options, idleTimeoutSec: 1e6 });
    const peer = await started.connect();
    const sdk = peer.call(WRITE);
    await sdk.send(callBody("0.41.0"));
    const none = peer.call(TABLE);
    await rest();
    clock.pass(11_000);
    assertEquals((await none.status)[0], 8);
    assert(/--handshake-timeout/.test((await none.status)[1]));
    const stands = await begin(peer, TABLE, 64);
    const endless = peer.call(TABLE);
    await endless.send(frame(table("a", 300_000)));
    await rest();
    clock.pass(11_000);
    assertEquals((await endless.status)[0], 8);
    assert(stands.stream.isWritable);
    for (let sec = 0; sec < 62; sec += 2) {
      clock.pass(2000);
      // The PINGs in between are answered.
      await rest();
    }
    const [status, text] = await stands.status;
    assertEquals(status, 8, text);
    assert(/--packet-timeout/.test(text), text);
    // It is no concern of the others.
    sdk.stream.end();
    assertEquals(await sdk.status, [0, ""]);
    await emptied(started, peer);
  });

  it("cuts the connection where a client is in the midst of DATA that is too much", async () => {
    await using started = await Started.on("over the system's TCP", { maxUnfinishedBytes: MiB });
    const [a, b] = [await started.connect(), await started.connect()];
    const first = a.call(WRITE);
    await first.send(HEAD);
    // In a frame that is not whole.
    for (let i = 0; i < 9; i++) await first.send(new Uint8Array(64 * KiB + 100));
    await rest();
    void begin(b, WRITE, 9 * 64);
    const [status, text] = await first.status;
    assert(status === 8 && /--max-unfinished/.test(text), `${status} ${text}`);
    await a.ended;
    await started.until(() => started.quits.length > 0);
    await emptied(started, b);
  });
});

describe("connections that carry no call", () => {
  it("end after a minute, those that wait for their SDK do not", async () => {
    const clock = handClock();
    await using started = await Started.on("in memory", clock.options);
    const [idle, busy] = [await started.connect(), await started.connect()];
    assertEquals((await idle.ask("/grpc.health.v1.Health/Check").status)[0], 0);
    const call = busy.call(WRITE);
    await call.send(callBody("0.41.0"));
    await rest();
    // The PINGs in between are answered.
    for (let sec = 0; sec < 58; sec += 2) {
      clock.pass(2000);
      await rest();
    }
    assert(!idle.h2.isClosed);
    for (let sec = 0; sec < 6; sec += 2) {
      clock.pass(2000);
      await rest();
    }
    await idle.ended;
    assert(!busy.h2.isClosed);
    call.stream.end();
    assertEquals(await call.status, [0, ""]);
    assertEquals(started.said("warn", "error"), []);
    busy.cut();
  });

  it("count as handshakes, also with a request that is on its way: the oldest goes", async () => {
    await using started = await Started.on("in memory", { maxHandshakes: 2 });
    const all: GrpcPeer[] = [];
    for (let i = 0; i < 4; i++) {
      all.push(await started.connect());
      // Idle, pending, silent, pending.
      if (i === 0) assertEquals((await all[0]!.ask("/grpc.health.v1.Health/Check").status)[0], 0);
      if (i % 2 === 1) await begin(all[i]!, TABLE, 64);
      await rest();
    }
    await Promise.all([all[0]!.ended, all[1]!.ended]);
    assertEquals(all.map(({ h2 }) => h2.isClosed), [true, true, false, false]);
    assert(started.said("warn").some((line) => /--max-handshakes/.test(line)));
    // Those with a call are clients, and none of them.
    const sdks: GrpcPeer[] = [];
    const calls = [];
    for (let i = 0; i < 3; i++) {
      sdks.push(await started.connect());
      calls.push(sdks[i]!.call(WRITE));
      await calls[i]!.send(callBody("0.41.0"));
      await rest();
    }
    assertEquals(all.map(({ h2 }) => h2.isClosed), [true, true, false, true]);
    calls.forEach(({ stream }) => stream.end());
    for (const call of calls) assertEquals(await call.status, [0, ""]);
    for (const peer of [...all, ...sdks]) peer.cut();
  });

  it("that do not say what they are end with the handshake", async () => {
    for (const beginning of ["P", "PR", "\u0002"]) {
      const clock = handClock();
      await using started = await Started.on("in memory", clock.options);
      const client = started.net.connect(started.server.addr.port);
      await client.writable.getWriter().write(new TextEncoder().encode(beginning));
      await rest();
      clock.pass(9000);
      await rest();
      assertEquals(started.server.stats.connections.open, 1, beginning);
      clock.pass(2000);
      await client.closed;
      await started.until(() => started.said("warn").length > 0);
      assert(started.said("warn").some((line) => /--handshake-timeout/.test(line)));
    }
  });
});

describe("a call that is throttled", () => {
  /** What comes of all recorded calls, three times over, with such a limit. */
  async function log(maxLatencySec: number) {
    let time = 0;
    const options = { maxLatencySec, now: () => time, random: () => 0.99 };
    await using started = await Started.on("in memory", options, false);
    const peer = await started.connect();
    const call = peer.call(WRITE);
    const messages = VERSIONS.flatMap((version) => framesOf(callBody(version)));
    for (let round = 0; round < 3; round++) {
      for (const message of messages) {
        await call.send(frame(message));
        await new Promise((resolve) => setTimeout(resolve, 2));
        time += 100;
      }
    }
    call.stream.end();
    void started.receive();
    assertEquals(await call.status, [0, ""]);
    await started.until(() => started.quits.length > 0);
    const logged = started.received.flatMap(({ payload }) =>
      payload.type === "msg" ? [payload.msg] : []
    );
    peer.cut();
    const { dropped: { throttled, overflow } } = started.server.stats;
    return {
      total: logged.length,
      sent: 3 * messages.length,
      dropped: throttled.messages + overflow.messages,
      lasting: logged.filter((msg) =>
        msg.kind !== "ArrowMsg" || msg.storeId.kind === "Blueprint" || timepointOf(msg).length === 0
      ),
    };
  }

  it("loses whole frames, and never what is said once", async () => {
    const [all, some] = [await log(Infinity), await log(0.5)];
    assertEquals([all.total, all.dropped], [all.sent, 0]);
    assert(some.dropped > 5, `${some.dropped} dropped`);
    assertEquals(some.total + some.dropped, some.sent);
    assert(all.lasting.length >= 9, `${all.lasting.length}`);
    const bytes = (msgs: readonly LogMsg[]) => msgs.map(({ encoded }) => encoded.bytes.length);
    assertEquals(bytes(some.lasting), bytes(all.lasting));
  });
});
