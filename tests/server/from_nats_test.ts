import { assert, assertEquals, assertThrows } from "@std/assert";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { describe, it } from "node:test";
import { memoryTcp, Server, silentLog, sourceText } from "../../mod.ts";
import type { LogMsg, ServeOptions, SmartMessage } from "../../mod.ts";
import { natsTarget } from "../../lib/forward/nats_target.ts";
import { type FromNats, fromNats, type FromNatsOptions } from "../../lib/server/from_nats.ts";
import type { NatsNote } from "../../lib/server/nats_note.ts";
import { type BatchHeaders, headerFields } from "../../lib/nats/headers.ts";
import { ensureStream } from "../../lib/nats/stream.ts";
import { partsOf, payloadOf } from "../../lib/nats/payload.ts";
import { recordingSubject } from "../../lib/nats/subjects.ts";
import { connectNats, type Nats } from "../../lib/nats/connection.ts";
import { batchOf, capturedMessages, numbered } from "../forward/batches.ts";
import { KnownMessages } from "../../lib/server/known_messages.ts";
import { sha256 } from "../fixtures.ts";
import { keptLog } from "../sinks/messages.ts";
import { NatsServer, noNats } from "../nats/nats_server.ts";

const options = { skip: noNats, timeout: 60_000 };
const never = new AbortController().signal;

/** A server in the middle that keeps what it receives. */
class Middle {
  readonly came = new Map<string, LogMsg[]>();
  quits = 0;
  readonly #feed: FromNats;
  readonly #server: Server;
  readonly #receiving: Promise<void>;
  #look = () => {};

  private constructor(server: Server, feed: FromNats) {
    this.#server = server;
    this.#feed = feed;
    this.#receiving = this.#receive();
    server.join(feed);
  }

  static async start(options: FromNatsOptions, limits: ServeOptions = {}): Promise<Middle> {
    const server = await Server.listen(memoryTcp(), { log: silentLog, ...limits });
    return new Middle(server, fromNats(options));
  }

  get feed(): FromNats {
    return this.#feed;
  }

  get server(): Server {
    return this.#server;
  }

  /** Of all boxes. */
  get count(): number {
    return [...this.came.values()].reduce((sum, { length }) => sum + length, 0);
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.#look = resolve);
  }

  async close(): Promise<void> {
    await this.#server.close();
    await this.#receiving;
  }

  async #receive(): Promise<void> {
    for await (const batch of this.#server.batches()) {
      for (const message of batch) this.#keep(message);
      this.#feed.received(batch);
      this.#look();
    }
  }

  #keep({ source, payload }: SmartMessage): void {
    if (payload.type === "quit") return void this.quits++;
    const key = sourceText(source);
    const kept = this.came.get(key) ?? [];
    this.came.set(key, [...kept, payload.msg]);
  }
}

/** Of several recordings of one box, each in its order: a checksum of each message. */
function byRecording(msgs: readonly LogMsg[]): string[] {
  const groups = Map.groupBy(numbered(msgs), ({ recording }) => recording);
  return [...groups].map(([recording, group]) =>
    `${recording}: ${group.map(({ msg }) => sha256(msg.encoded.bytes).slice(0, 8))}`
  ).sort();
}

/** A part of a large message, as a box sends it. */
interface Part {
  readonly subject: string;
  readonly headers: BatchHeaders;
  readonly data: Uint8Array;
}

/** Of four each. */
function inParts(box: string, msg: LogMsg): Part[] {
  const [one] = numbered([msg]);
  const payload = payloadOf([one!]);
  const subject = recordingSubject({ ...one!, box });
  const parts = partsOf(payload, Math.ceil(payload.length / 4));
  return parts.map((data, index) => {
    const part = { index, count: parts.length, bytes: payload.length };
    const headers = { box, run: "run", file: `file-of-${box}`, numbers: [0], part };
    return { subject, headers, data };
  });
}

async function publish({ client, headers: made }: Nats, { subject, headers, data }: Part) {
  await client.publish(subject, data, { headers: made(headerFields(headers)) });
}

function shortSum(msg: LogMsg): string {
  return sha256(msg.encoded.bytes).slice(0, 8);
}

describe("fromNats", () => {
  const mixed = capturedMessages("0.22.1-mixed");
  const largest = mixed.reduce((a, b) => b.encoded.bytes.length > a.encoded.bytes.length ? b : a);
  const older = capturedMessages("0.17.0-mixed");

  it(
    "receives what boxes sent as if they had connected, and what they send later",
    options,
    async () => {
      await using nats = await NatsServer.start();
      const target = (box: string) => natsTarget({ url: nats.url, box, instance: box.slice(-1) });
      const [a, b] = [target("box-a"), target("box b")];
      await a.send(batchOf("file-a", numbered(mixed.slice(0, 10))), never);
      const middle = await Middle.start({ url: nats.url });
      await middle.until(() => middle.count === 10);
      await b.send(batchOf("file-b", numbered(older)), never);
      await a.send(batchOf("file-a", numbered(mixed).slice(10)), never);
      await middle.until(() => middle.count === mixed.length + older.length);
      assertEquals([...middle.came.keys()].sort(), ["nats box b", "nats box-a"]);
      assertEquals(byRecording(middle.came.get("nats box-a")!), byRecording(mixed));
      assertEquals(byRecording(middle.came.get("nats box b")!), byRecording(older));
      const { clients } = middle.server.stats;
      assertEquals(
        clients.map(({ messages }) => messages).sort(),
        [older.length, mixed.length].sort(),
      );
      assertEquals([middle.feed.stats.boxes, middle.feed.stats.live], [2, 2]);
      const [first, second] = middle.feed.boxes;
      assertEquals([first!.box, second!.box], ["box-a", "box b"]);
      assertEquals([first!.messages, second!.messages], [mixed.length, older.length]);
      assertEquals([middle.feed.stats.connected, middle.feed.stats.outageSec], [true, 0]);
      await Promise.all([a.close(), b.close(), middle.close()]);
      assertEquals(middle.quits, 2);
    },
  );

  it(
    "tells how old messages were when they came, by the box's clock and NATS'",
    options,
    async () => {
      await using nats = await NatsServer.start();
      const box = natsTarget({ url: nats.url, box: "box-a", instance: "one" });
      const batch = batchOf("file-a", numbered(mixed));
      await box.send({ ...batch, waitedMs: 7000 }, never);
      const middle = await Middle.start({ url: nats.url });
      await middle.until(() => middle.count === mixed.length);
      const [{ lagSec, recordings } = { lagSec: 0, recordings: [] }] = middle.feed.boxes;
      assert(lagSec >= 7 && lagSec < 60, `${lagSec}`);
      assertEquals(recordings.map(({ applicationId }) => applicationId).includes(""), false);
      assertEquals(middle.feed.stats.ageSec, lagSec);
      await nats.kill();
      while (middle.feed.stats.connected) await new Promise((resolve) => setTimeout(resolve, 10));
      const { outageSec } = middle.feed.stats;
      while (middle.feed.stats.outageSec <= outageSec) {
        await new Promise((resolve) => setTimeout(resolve, 10));
      }
      await nats.start();
      while (!middle.feed.stats.connected) await new Promise((resolve) => setTimeout(resolve, 10));
      assertEquals(middle.feed.stats.outageSec, 0);
      await Promise.all([box.close(), middle.close()]);
    },
  );

  it("goes on where it was, and drops what comes a second time", options, async () => {
    await using nats = await NatsServer.start();
    const box = natsTarget({ url: nats.url, box: "box-a", instance: "one" });
    await box.send(batchOf("file-a", numbered(mixed.slice(0, 12))), never);
    const first = await Middle.start({ url: nats.url });
    await first.until(() => first.count === 12);
    await first.close();
    const note = JSON.parse(JSON.stringify(first.feed.note()));
    await box.close();
    // A box whose cursor is lost sends all of the file again, when the duplicate window is over.
    const stream = await connectNats({ url: nats.url, clientName: "test" });
    await stream.manager.streams.purge("RERELAY");
    await stream.connection.close();
    const again = natsTarget({ url: nats.url, box: "box-a", instance: "one" });
    await again.send(batchOf("file-a", numbered(mixed)), never);
    const second = await Middle.start({ url: nats.url, note });
    await second.until(() => second.count === mixed.length - 12);
    assertEquals(
      byRecording([...first.came.get("nats box-a")!, ...second.came.get("nats box-a")!]),
      byRecording(mixed),
    );
    await Promise.all([again.close(), second.close()]);
  });

  it("receives nothing again where it asks for others than before", options, async () => {
    await using nats = await NatsServer.start();
    const [a, b, c, last] = ["box-a", "box-b", "box-c", "last"].map((box) =>
      natsTarget({ url: nats.url, box, instance: box })
    );
    const some = numbered(older);
    // As of a box that has begun a new file each minute.
    for (let i = 0; i < 30; i++) await a!.send(batchOf(`a-${i}`, some), never);
    await b!.send(batchOf("b", some), never);
    let note: NatsNote | undefined;
    const came: Record<string, number> = {};
    const starts = [["box-a"], ["box-b", "box-c"], ["box-a", "box-c"], ["box-b"], ["box-a"], []];
    for (const [i, boxes] of starts.entries()) {
      await c!.send(batchOf(`c-${i}`, some), never);
      await last!.send(batchOf(`last-${i}`, some), never);
      const asked = boxes.length === 0 ? boxes : [...boxes, "last"];
      const middle = await Middle.start({ url: nats.url, boxes: asked, ...(note && { note }) });
      const isOver = () => (middle.came.get("nats last")?.length ?? 0) >= some.length;
      await middle.until(() => isOver() && middle.feed.stats.underWay === 0);
      await middle.close();
      note = JSON.parse(JSON.stringify(middle.feed.note()));
      for (const [box, { length }] of middle.came) came[box] = (came[box] ?? 0) + length;
    }
    const times = Object.entries(came).map(([box, count]) => [box, count / some.length]);
    assertEquals(Object.fromEntries(times), {
      ...{ "nats box-a": 30, "nats box-b": 1, "nats box-c": 6, "nats last": 6 },
    });
    await Promise.all([a, b, c, last].map((box) => box!.close()));
  });

  it("leaves out what was kept beyond what was noted", options, async () => {
    await using nats = await NatsServer.start();
    const box = natsTarget({ url: nats.url, box: "box-a", instance: "one" });
    await box.send(batchOf("file-a", numbered(mixed)), never);
    const recording = numbered(mixed).at(-1)!.recording;
    const count = numbered(mixed).filter((one) => one.recording === recording).length;
    const skip = new Map([[recording, 3]]);
    const middle = await Middle.start({ url: nats.url, skip });
    assertEquals(middle.feed.note().beyond, [[recording, 3]]);
    await middle.until(() => middle.count === mixed.length - 3);
    const kept = numbered(middle.came.get("nats box-a")!).filter((one) =>
      one.recording === recording
    );
    assertEquals(kept.length, count - 3);
    assertEquals(middle.feed.note().beyond, []);
    await Promise.all([box.close(), middle.close()]);
  });

  it(
    "leaves out nothing in place of what was kept and has been sent on since",
    options,
    async () => {
      await using nats = await NatsServer.start();
      const box = natsTarget({ url: nats.url, box: "box-a", instance: "one" });
      const all = numbered(mixed);
      const { recording } = all.at(-1)!;
      const kept = all.filter((one) => one.recording === recording).slice(0, 3);
      // What an earlier run kept goes on from its files as soon as the program is there again.
      const known = new KnownMessages();
      for (const { msg } of kept) known.sent(msg);
      await box.send(batchOf("file-a", all), never);
      const skip = new Map([[recording, kept.length]]);
      const middle = await Middle.start({ url: nats.url, skip }, { known });
      await middle.until(() => middle.count >= mixed.length - kept.length);
      assertEquals(middle.count, mixed.length - kept.length);
      assertEquals(middle.feed.note().beyond, []);
      await Promise.all([box.close(), middle.close()]);
    },
  );

  it("leaves out what its own program sent, and says so once", options, async () => {
    await using nats = await NatsServer.start();
    const target = (box: string) => natsTarget({ url: nats.url, box, instance: `of-${box}` });
    const [box, middle] = [target("box"), target("middle")];
    await middle.send(batchOf("file-m", numbered(mixed)), never);
    await middle.send(batchOf("file-n", numbered(mixed)), never);
    await box.send(batchOf("file-b", numbered(mixed)), never);
    const log = keptLog();
    const own = () => Promise.resolve("of-middle");
    const server = await Middle.start({ url: nats.url, own, log });
    await server.until(() => server.count === mixed.length);
    assertEquals([...server.came.keys()], ["nats box"]);
    assertEquals(log.of("error").map((text) => text.split(":")[0]), [
      "What this server forwards to NATS comes back to it, by " +
      "rerelay.middle.rerun_example_capture.rec-mixed",
    ]);
    assertEquals(server.feed.note().seq, server.feed.stats.position);
    await Promise.all([box.close(), middle.close(), server.close()]);
  });

  it("goes on, on both sides, where the stream was removed while they ran", options, async () => {
    await using nats = await NatsServer.start();
    const box = natsTarget({ url: nats.url, box: "box-a", instance: "one" });
    const middle = await Middle.start({ url: nats.url });
    await box.send(batchOf("file-a", numbered(mixed.slice(0, 10))), never);
    await middle.until(() => middle.count === 10);
    const other = await connectNats({ url: nats.url, clientName: "test" });
    await other.manager.streams.delete("RERELAY");
    // As the forwarder does: the same batch comes again until it is acknowledged.
    const rest = batchOf("file-a", numbered(mixed).slice(10));
    for (let isSent = false; !isSent;) {
      isSent = await box.send(rest, never).then(() => true, () => false);
    }
    await middle.until(() => middle.count === mixed.length);
    assertEquals(byRecording(middle.came.get("nats box-a")!), byRecording(mixed));
    assertEquals(middle.feed.stats.connected, true);
    await Promise.all([other.connection.close(), box.close(), middle.close()]);
  });

  it("reads a stream from its beginning that was made anew while it ran", options, async () => {
    await using nats = await NatsServer.start();
    const middle = await Middle.start({ url: nats.url });
    const box = natsTarget({ url: nats.url, box: "box-a", instance: "one" });
    await box.send(batchOf("file-a", numbered(older)), never);
    await middle.until(() => middle.count === older.length);
    const other = await connectNats({ url: nats.url, clientName: "test" });
    const { config } = await other.manager.streams.info("RERELAY");
    await other.manager.streams.delete("RERELAY");
    await other.manager.streams.add(config);
    const second = natsTarget({ url: nats.url, box: "box-b", instance: "two" });
    for (const message of numbered(mixed)) await second.send(batchOf("file-b", [message]), never);
    await middle.until(() => middle.count === older.length + mixed.length);
    assertEquals(byRecording(middle.came.get("nats box-b")!), byRecording(mixed));
    await Promise.all([other.connection.close(), box.close(), second.close(), middle.close()]);
  });

  it("needs no more permissions than docs/fleet.md names", options, async () => {
    const docs = readFileSync(new URL("../../docs/fleet.md", import.meta.url), "utf8");
    const [, box, middle] = /A box needs to publish([^]*?); a middle([^]*?); both/.exec(docs)!;
    const user = (name: string, text: string) => {
      const named = [...text.matchAll(/`([^`]+)`/g)].map(([, subject]) => subject!);
      const subjects = JSON.stringify(named.map((subject) => subject.replace("BOX", "box-a")));
      return `{ user: ${name}, password: pw, permissions: ` +
        `{ publish: ${subjects}, subscribe: ["_INBOX.>"] } }`;
    };
    const users = `${user("box", box!)}, ${user("middle", middle!)}`;
    await using nats = await NatsServer.start(`authorization { users: [${users}] }`);
    const as = (user: string) => ({ url: nats.url, user, password: "pw" });
    const target = natsTarget({ ...as("box"), box: "box-a", instance: "one" });
    await target.send(batchOf("file-a", numbered(mixed)), never);
    for (const filter of [{}, { boxes: ["box-a"] }, { boxes: ["box-a", "box-b"] }]) {
      const server = await Middle.start({ ...as("middle"), ...filter });
      await server.until(() => server.count === mixed.length);
      await server.close();
    }
    await target.close();
    assert(!/Violation/.test(nats.log), nats.log);
  });

  it("puts large messages together, and gives up one that is begun anew", options, async () => {
    await using nats = await NatsServer.start("max_payload: 20000");
    const box = natsTarget({ url: nats.url, box: "box-a", instance: "one" });
    await box.send(batchOf("file-a", numbered(mixed)), never);
    const middle = await Middle.start({ url: nats.url });
    await middle.until(() => middle.count === mixed.length);
    assertEquals(byRecording(middle.came.get("nats box-a")!), byRecording(mixed));
    assertEquals(middle.server.stats.unfinishedBytes, 0);
    await Promise.all([box.close(), middle.close()]);
  });

  it("holds no more of large messages than it may, and loses none", options, async () => {
    await using nats = await NatsServer.start();
    const stream = await connectNats({ url: nats.url, clientName: "test" });
    await ensureStream(stream.manager, { replicas: 1, log: silentLog });
    const boxes = Array.from({ length: 8 }, (_, i) => `box-${i}`);
    const parts = boxes.map((box) => inParts(box, largest));
    for (let i = 0; i < parts[0]!.length; i++) {
      for (const each of parts) await publish(stream, each[i]!);
    }
    const log = keptLog();
    const limits = { maxUnfinishedBytes: 100_000 };
    const middle = await Middle.start({ url: nats.url, log }, limits);
    await middle.until(() => middle.count === boxes.length);
    for (const box of boxes) {
      assertEquals(middle.came.get(`nats ${box}`)!.map(shortSum), [shortSum(largest)]);
    }
    assertEquals([middle.server.stats.unfinishedBytes, log.of("warn")], [0, []]);
    assertEquals(middle.feed.stats.position, boxes.length * parts[0]!.length);
    await Promise.all([middle.close(), stream.connection.close()]);
  });

  it("goes on before a large message that was not whole when it ended", options, async () => {
    await using nats = await NatsServer.start();
    const stream = await connectNats({ url: nats.url, clientName: "test" });
    const box = natsTarget({ url: nats.url, box: "box-a", instance: "one" });
    await box.send(batchOf("file-a", numbered(older)), never);
    const parts = inParts("box-b", largest);
    for (const part of parts.slice(0, 2)) await publish(stream, part);
    await box.send(batchOf("file-b", numbered(older)), never);
    const first = await Middle.start({ url: nats.url });
    await first.until(() => first.count === 2 * older.length);
    await first.close();
    const note = JSON.parse(JSON.stringify(first.feed.note()));
    for (const part of parts.slice(2)) await publish(stream, part);
    const skip = new Map<string, number>(note.beyond);
    const second = await Middle.start({ url: nats.url, note, skip });
    await second.until(() => second.count > 0);
    assertEquals([...second.came.keys()], ["nats box-b"]);
    await Promise.all([box.close(), second.close(), stream.connection.close()]);
  });

  it("leaves out nothing for what the stream has no more", options, async () => {
    await using nats = await NatsServer.start();
    const stream = await connectNats({ url: nats.url, clientName: "test" });
    const box = natsTarget({ url: nats.url, box: "box-a", instance: "one" });
    await box.send(batchOf("file-a", numbered(older)), never);
    await stream.manager.streams.purge("RERELAY");
    await box.send(batchOf("file-b", numbered(older)), never);
    const { recording } = numbered(older)[0]!;
    const note = { seq: 0, seen: [], beyond: [] };
    const skip = new Map([[recording, older.length]]);
    const middle = await Middle.start({ url: nats.url, note, skip });
    await middle.until(() => middle.count === older.length);
    await Promise.all([box.close(), middle.close(), stream.connection.close()]);
  });

  it(
    "takes the recordings alone that are asked for, and nothing that no box has sent",
    options,
    async () => {
      await using nats = await NatsServer.start();
      const stream = await connectNats({ url: nats.url, clientName: "test" });
      const [a, b] = ["box-a", "box-b"].map((box) =>
        natsTarget({ url: nats.url, box, instance: box })
      );
      await a!.send(batchOf("file-a", numbered(mixed)), never);
      await b!.send(batchOf("file-b", numbered(older)), never);
      await stream.client.publish("rerelay.box-b.x.y", "hello");
      const middle = await Middle.start({ url: nats.url, boxes: ["box-b"] });
      await middle.until(() => middle.count === older.length);
      assertEquals([...middle.came.keys()], ["nats box-b"]);
      await b!.send(batchOf("file-c", numbered(older)), never);
      await middle.until(() => middle.count === 2 * older.length);
      assertEquals(middle.feed.stats.refused, 1);
      await Promise.all([a!.close(), b!.close(), middle.close(), stream.connection.close()]);
    },
  );

  it(
    "tells delays by a clock that nobody sets, once it knows the time at NATS",
    options,
    async () => {
      await using nats = await NatsServer.start();
      let later = 0;
      const middle = await Middle.start({ url: nats.url }, {
        now: () => performance.now() + later,
      });
      const box = natsTarget({ url: nats.url, box: "box-a", instance: "a" });
      await box.send(batchOf("file-a", numbered(mixed.slice(0, 12))), never);
      await middle.until(() => middle.count === 12);
      // As if the other clock had been set back by an hour.
      later = 3_600_000;
      await box.send(batchOf("file-a", numbered(mixed).slice(12)), never);
      await middle.until(() => middle.count === mixed.length);
      const [{ lagSec } = { lagSec: 0 }] = middle.feed.boxes[0]!.recordings;
      assert(lagSec >= 3600, `${lagSec}`);
      await Promise.all([box.close(), middle.close()]);
    },
  );

  it("goes on behind a server that was killed, and one that comes late", options, async () => {
    await using nats = await NatsServer.start();
    const box = natsTarget({ url: nats.url, box: "box-a", instance: "one" });
    await nats.kill();
    const middle = await Middle.start({ url: nats.url });
    await nats.start();
    await box.send(batchOf("file-a", numbered(mixed.slice(0, 20))), never);
    await middle.until(() => middle.count === 20);
    await nats.kill();
    await nats.start();
    const rest = batchOf("file-a", numbered(mixed).slice(20));
    let tries = 0;
    for (;;) {
      try {
        await box.send(rest, never);
        break;
      } catch (error) {
        assert(++tries < 100, `${error}`);
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
    await middle.until(() => middle.count === mixed.length);
    assertEquals(byRecording(middle.came.get("nats box-a")!), byRecording(mixed));
    await Promise.all([box.close(), middle.close()]);
  });

  it(
    "tells of an outage, of what somebody has to mend in it, and of its end",
    options,
    async () => {
      const users = (password: string) => `authorization { user: "a", password: "${password}" }`;
      await using nats = await NatsServer.start(users("right"));
      const log = keptLog();
      const { told, line } = listening(log);
      // What lasts for less than 2 s is not told: so each look at the clock is 10 s later.
      let ms = 0;
      const middle = await Middle.start(
        { url: nats.url, user: "a", password: "right", log: told },
        { now: () => ms += 10_000 },
      );
      await line("info", "Receives from the stream RERELAY");
      await nats.kill();
      await line("warn", `Reads nothing from ${nats.url} until it is there again: `);
      nats.configure(users("another"));
      await nats.start();
      await line("error", `Reads nothing from ${nats.url} until it is there again: Authorization`);
      await nats.kill();
      nats.configure(users("right"));
      await nats.start();
      await line("info", `Reads from ${nats.url} again, after `);
      assertEquals([log.of("warn").length, log.of("error").length], [1, 1]);
      await middle.close();
    },
  );

  it("tells of a server that says nothing though its connection is there", options, async () => {
    await using nats = await NatsServer.start();
    const log = keptLog();
    const { told, line } = listening(log);
    let ms = 0;
    const clock = { now: () => ms += 10_000 };
    const middle = await Middle.start({ url: nats.url, log: told }, clock);
    await line("info", "Receives from the stream RERELAY");
    nats.signal("SIGSTOP");
    await line("warn", `Reads nothing from ${nats.url} until it is there again: `);
    nats.signal("SIGCONT");
    await line("info", `Reads from ${nats.url} again, after `);
    assertEquals(log.of("warn").filter((one) => one.startsWith("Reads nothing")).length, 1);
    await middle.close();
  });
});

/** A log that is written to another one, and a way to wait for a line of it. */
function listening(log: ReturnType<typeof keptLog>) {
  const heard: (() => void)[] = [];
  const told = {
    ...log,
    write: (...line: Parameters<typeof log.write>) => {
      log.write(...line);
      for (const look of heard.splice(0)) look();
    },
  };
  const line = async (level: "info" | "warn" | "error", text: string) => {
    while (!log.of(level).some((one) => one.startsWith(text))) {
      await new Promise<void>((resolve) => heard.push(resolve));
    }
  };
  return { told, line };
}

describe("a feed that is closed", () => {
  it("waits for nobody who does not answer, while it connects", { timeout: 20_000 }, async () => {
    const own = () => new Promise<string>(() => {});
    const middle = await Middle.start({ url: "nats://127.0.0.1:9", own });
    await middle.close();
    // It greets nobody. A connect would wait for 5 s, and the test for no clock.
    const silent = createServer();
    const dialed = once(silent, "connection");
    silent.listen(0, "127.0.0.1");
    await once(silent, "listening");
    const { port } = silent.address() as AddressInfo;
    const other = await Middle.start({ url: `nats://127.0.0.1:${port}` });
    const [socket] = await dialed as [Socket];
    let isOver = false;
    const over = once(socket, "close").then(() => isOver = true);
    await other.close();
    assertEquals(isOver, false);
    socket.destroy();
    silent.close();
    await over;
  });
});

describe("what a feed goes on from", () => {
  it("is refused, by its name, where no feed has noted it", () => {
    const url = "nats://127.0.0.1:9";
    const wrong: [unknown, string][] = [
      [5, "note must be such as"],
      [{ seq: NaN, seen: [], beyond: [] }, "note.seq must be a whole number, 0 or more, not NaN"],
      [{ seen: [], beyond: [] }, "note.seq must be a whole number, 0 or more, not undefined"],
      [{ seq: 1, seen: 3, beyond: [] }, "note.seen must be a list"],
      [{ seq: 1, seen: [] }, "note.beyond must be a list"],
    ];
    for (const [note, text] of wrong) {
      const options = { url, note } as unknown as FromNatsOptions;
      const { message } = assertThrows(() => fromNats(options), RangeError);
      assert(message.startsWith(text), message);
    }
    const skip = { url, skip: 3 } as unknown as FromNatsOptions;
    assertThrows(() => fromNats(skip), TypeError, "skip, a Map of counts");
  });
});
