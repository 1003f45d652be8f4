import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import type { Buffer } from "node:buffer";
import { once } from "node:events";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { describe, it } from "node:test";
import { inTime } from "../in_time.ts";
import { PacketDecoder } from "../../lib/encoding/rrd/packet_decoder.ts";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import { natsTarget } from "../../lib/forward/nats_target.ts";
import {
  type ForwardBatch,
  type MessageTarget,
  TargetRefused,
  TargetUnfit,
} from "../../lib/forward/target.ts";
import { connectNats, type Nats, type NatsCredentials } from "../../lib/nats/connection.ts";
import { headerFields, readHeaders } from "../../lib/nats/headers.ts";
import { STREAM } from "../../lib/nats/stream.ts";
import { NatsServer, noNats } from "../nats/nats_server.ts";
import { forwardTo } from "../../lib/forward/forward_to.ts";
import { memoryFiles } from "../../lib/adapters/files/memory_files.ts";
import { rrdFileSink } from "../../lib/sinks/file/rrd_file.ts";
import { announcement, longChunk, received } from "./chunks.ts";
import { until } from "./until.ts";
import { batchOf, capturedMessages, numbered } from "./batches.ts";

const options = { skip: noNats, timeout: 60_000 };
const never = new AbortController().signal;

/** What stands in the stream: each message's header, subject and payload. */
async function stored({ manager }: Nats) {
  const { state } = await manager.streams.info(STREAM);
  const all = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const message = await manager.streams.getMessage(STREAM, { seq });
    if (message === null) continue;
    const headers = readHeaders((name) => message.header.get(name))!;
    all.push({ subject: message.subject, headers, data: message.data });
  }
  return all;
}

function targetOf(server: NatsServer, more: { instance?: string; box?: string } = {}) {
  return natsTarget({ url: server.url, box: "box-7", instance: "one", ...more });
}

async function withServer(
  use: (server: NatsServer, nats: Nats) => Promise<void>,
  config = "",
  user: Pick<NatsCredentials, "user" | "password"> = {},
): Promise<void> {
  await using server = await NatsServer.start(config);
  const nats = await connectNats({ url: server.url, clientName: "test", ...user });
  try {
    await use(server, nats);
  } finally {
    await nats.connection.close();
  }
}

/** Sends a batch as the forwarder does: again until it is taken, or somebody has to change something. */
async function untilSent(target: MessageTarget, batch: ForwardBatch): Promise<void> {
  for (let tries = 0;; tries++) {
    try {
      return await target.send(batch, never);
    } catch (error) {
      if (tries > 200 || error instanceof TargetUnfit) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** A link to a port, which is told what goes there. */
async function linkThat(port: number, sees: (bytes: Buffer, hangUp: () => void) => void) {
  const sockets = new Set<Socket>();
  const link = createServer((client) => {
    const server = connect(port, "127.0.0.1");
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.on("error", () => {});
    }
    client.on("data", (bytes: Buffer) => sees(bytes, () => client.destroy()));
    client.pipe(server).pipe(client);
  }).listen(0, "127.0.0.1");
  await once(link, "listening");
  return {
    url: `nats://127.0.0.1:${(link.address() as AddressInfo).port}`,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      link.close();
      await once(link, "close");
    },
  };
}

async function sendAll(target: MessageTarget, file: string, msgs: readonly LogMsg[]) {
  await target.send(batchOf(file, numbered(msgs)), never);
}

describe("natsTarget", () => {
  const msgs = capturedMessages("0.22.1-mixed");
  const largest = msgs.reduce((a, b) => b.encoded.bytes.length > a.encoded.bytes.length ? b : a);

  it("makes the stream, and stores messages as RRD streams in their order", options, async () => {
    await withServer(async (server, nats) => {
      const target = targetOf(server);
      await sendAll(target, "file-a", msgs);
      const { config } = await nats.manager.streams.info(STREAM);
      assertEquals(config.discard, "new");
      assertEquals(config.num_replicas, 1);
      assertEquals(config.max_age, 7 * 24 * 3600 * 1e9);
      assertEquals(config.duplicate_window, 600 * 1e9);
      const came: LogMsg[] = [];
      const numbers = [];
      for (const { subject, headers, data } of await stored(nats)) {
        assert(subject.startsWith("rerelay.box-7."), subject);
        assertEquals(headers.box, "one");
        assertEquals(headers.file, "file-a");
        numbers.push(...headers.numbers);
        const { items, error } = new PacketDecoder().push([new Uint8Array(data)]);
        assertEquals(error, undefined);
        came.push(...items);
      }
      assertEquals(numbers.toSorted((a, b) => a - b), msgs.map((_, i) => i));
      for (const [i, number] of numbers.entries()) {
        assertEquals([...came[i]!.encoded.bytes], [...msgs[number]!.encoded.bytes]);
      }
      await target.close();
    });
  });

  it(
    "sends messages of hundreds of recordings that share a file in few publishes",
    options,
    async () => {
      const [recordings, each] = [300, 8];
      const names = Array.from({ length: recordings }, (_, i) => `r${i}`);
      await withServer(async (server, nats) => {
        const forwarder = forwardTo(targetOf(server));
        const followers = [forwarder];
        const sink = await rrdFileSink({ path: "{part}.rrd", files: memoryFiles(), followers });
        await sink.write(names.map((name) => received(announcement(name))));
        for (let i = 0; i < each; i++) {
          await sink.write(names.map((name) => received(longChunk(name, i, 1500))));
        }
        const all = recordings * (1 + each);
        await until(() => forwarder.stats.sent.messages === all);
        await sink.close();
        const { state } = await nats.manager.streams.info(STREAM);
        assert(state.messages < all / 2, `${state.messages} publishes of ${all} messages`);
      });
    },
  );

  it("stores a batch of more recordings than are written at a time", options, async () => {
    await withServer(async (server, nats) => {
      const target = targetOf(server);
      const messages = Array.from({ length: 1500 }, (_, number) => {
        const recording = `r${number}`;
        return { number, msg: longChunk(recording, 0, 100), application: "app", recording };
      });
      const batch = { file: "file-a", messages, bytes: 150_000 };
      const { signal } = new AbortController();
      await target.send(batch, signal);
      await target.send(batch, signal);
      const { state } = await nats.manager.streams.info(STREAM);
      assertEquals([state.messages, state.num_subjects], [1500, 1500]);
      await target.close();
    });
  });

  it("stores nothing twice, whoever asks again: itself, or its next start", options, async () => {
    await withServer(async (server, nats) => {
      const first = targetOf(server);
      await sendAll(first, "file-a", msgs.slice(0, 10));
      await sendAll(first, "file-a", msgs.slice(0, 12));
      await first.close();
      const next = targetOf(server);
      await sendAll(next, "file-a", msgs.slice(0, 20));
      await next.close();
      const numbers = (await stored(nats)).flatMap(({ headers }) => headers.numbers);
      assertEquals(numbers.toSorted((a, b) => a - b), msgs.slice(0, 20).map((_, i) => i));
    });
  });

  it("connects before there is anything to send, once", options, async () => {
    await withServer(async (server) => {
      const said = Promise.withResolvers<void>();
      let connects = 0;
      await using link = await linkThat(server.port, (bytes) => {
        if (!bytes.toString("latin1").startsWith("CONNECT")) return;
        connects++;
        said.resolve();
      });
      const target = natsTarget({ url: link.url, box: "box-7", instance: "one" });
      const checked = target.check!(never);
      await said.promise;
      await Promise.all([checked, sendAll(target, "file-a", msgs.slice(0, 2))]);
      await target.close();
      assertEquals(connects, 1);
    });
  });

  it("connects with the first batch where there was no server before", options, async () => {
    await using server = await NatsServer.start();
    await server.kill();
    const target = targetOf(server);
    await assertRejects(() => target.check!(never), Error, "");
    await assertRejects(() => sendAll(target, "file-a", msgs.slice(0, 2)), Error, "");
    await server.start();
    await sendAll(target, "file-a", msgs.slice(0, 2));
    await target.close();
  });

  it(
    "asks for what is stored only where something is, and then stores the rest",
    options,
    async () => {
      await withServer(async (server, nats) => {
        let asked = 0;
        nats.connection.subscribe(`$JS.API.STREAM.MSG.GET.${STREAM}`, {
          callback: () => void asked++,
        });
        const first = targetOf(server);
        const { recording } = numbered(msgs)[0]!;
        const all = numbered(msgs).filter((one) => one.recording === recording);
        await first.send(batchOf("file-a", all.slice(0, 2)), never);
        await nats.connection.flush();
        assertEquals(asked, 0);
        await first.send(batchOf("file-a", all.slice(2, 3)), never);
        await first.close();
        // Once as the first one sent them, which the server knows by their id, and once with more.
        for (const count of [2, 4]) {
          const next = targetOf(server);
          await next.send(batchOf("file-a", all.slice(0, count)), never);
          await next.close();
          await nats.connection.flush();
          assertEquals(asked, count / 2);
        }
        const numbers = (await stored(nats)).flatMap(({ headers }) => headers.numbers);
        assertEquals(numbers, all.slice(0, 4).map(({ number }) => number));
      });
    },
  );

  it(
    "sends what is larger than a server takes in parts, and begins again with the first",
    options,
    async () => {
      await withServer(async (server, nats) => {
        const target = targetOf(server);
        const one = numbered([largest], 3);
        await target.send(batchOf("file-a", one), never);
        await target.close();
        const all = await stored(nats);
        assert(all.length > 2);
        assertEquals(all.map(({ headers }) => headers.part!.index), all.map((_, i) => i));
        const size = all.reduce((sum, { data }) => sum + data.length, 0);
        assertEquals(size, all[0]!.headers.part!.bytes);
        // As a box leaves it that is killed between two parts, after the duplicate window.
        await nats.manager.streams.purge(STREAM);
        const [first] = all;
        const headers = nats.headers(headerFields({ ...first!.headers, run: "before" }));
        await nats.client.publish(first!.subject, first!.data, { headers });
        const next = targetOf(server);
        await next.send(batchOf("file-a", one), never);
        await next.close();
        const again = (await stored(nats)).map(({ headers }) => headers.part!.index);
        assertEquals(again, [0, ...all.map((_, i) => i)]);
      }, "max_payload: 20000");
    },
  );

  it(
    "begins again where its first parts were purged, though the server knows their ids",
    options,
    async () => {
      await withServer(async (server, nats) => {
        const one = numbered([largest], 3);
        const sent = targetOf(server);
        await sent.send(batchOf("file-a", one), never);
        await sent.close();
        const { subject, headers: first, data } = (await stored(nats))[0]!;
        await nats.manager.streams.delete(STREAM);
        const next = targetOf(server);
        await next.check!(never);
        const msgID = `file-a.3-3.1.0/${first.part!.count}`;
        await nats.client.publish(subject, data, {
          msgID,
          headers: nats.headers(headerFields(first)),
        });
        await nats.manager.streams.purge(STREAM);
        await next.send(batchOf("file-a", one), AbortSignal.timeout(30_000));
        await next.close();
        const indices = (await stored(nats)).map(({ headers }) => headers.part!.index);
        assertEquals(indices, Array.from({ length: first.part!.count }, (_, i) => i));
      }, "max_payload: 20000");
    },
  );

  it("takes the limits that a server and the stream have now", options, async () => {
    await withServer(async (server) => {
      const target = targetOf(server);
      await sendAll(target, "file-a", msgs.slice(0, 2));
      await server.kill();
      writeFileSync(join(server.folder, "nats.conf"), "max_payload: 20000");
      await server.start();
      await untilSent(target, batchOf("file-a", numbered(msgs)));
      await server.kill();
      writeFileSync(join(server.folder, "nats.conf"), "");
      await server.start();
      await untilSent(target, batchOf("file-b", numbered(msgs)));
      const nats = await connectNats({ url: server.url, clientName: "test" });
      await nats.manager.streams.update(STREAM, { max_msg_size: 20_000 });
      await untilSent(target, batchOf("file-c", numbered(msgs)));
      for (const file of ["file-a", "file-b", "file-c"]) {
        const numbers = (await stored(nats)).filter(({ headers }) => headers.file === file)
          .flatMap(({ headers }) => headers.numbers);
        assertEquals([...new Set(numbers)].sort((a, b) => a - b), msgs.map((_, i) => i));
      }
      await nats.manager.streams.update(STREAM, { max_msg_size: 1000 });
      const error = await untilSent(target, batchOf("file-d", numbered(msgs)))
        .catch((error) => error);
      assert(error instanceof TargetUnfit, `${error}`);
      assertStringIncludes(error.message, "messages of 1000 bytes: set max_payload");
      await Promise.all([target.close(), nats.connection.close()]);
    });
  });

  it("says what NATS does not let it do, and where nobody takes anything", options, async () => {
    const users = [
      'permissions: { publish: "$JS.API.STREAM.INFO.RERELAY", subscribe: "_INBOX.>" }',
      "",
    ]
      .map((more, i) => `{ user: u${i}, password: p, ${more} }`);
    await withServer(
      async (server) => {
        const target = (user: string, password: string) =>
          natsTarget({ url: server.url, box: "b", instance: "i", user, password });
        const failure = async (target: MessageTarget) => {
          const error = await sendAll(target, "a", msgs.slice(0, 1)).catch((error) => error);
          await target.close();
          return error;
        };
        for (
          const [user, password, what] of [["u1", "x", "Authorization"], ["u0", "p", "CREATE"]]
        ) {
          const error = await failure(target(user!, password!));
          assert(error instanceof TargetUnfit, `${error}`);
          assertStringIncludes(error.message, what!);
          assertStringIncludes(error.message, "--nats-credentials");
        }
        const nats = await connectNats({
          ...{ url: server.url, clientName: "test", user: "u1", password: "p" },
        });
        await nats.manager.streams.add({ name: STREAM, subjects: ["other.*"] });
        const error = await failure(target("u1", "p"));
        assertStringIncludes(error.message, "has other subjects than rerelay.*.*.*");
        await nats.connection.close();
      },
      `authorization { users: [${users}] }`,
      { user: "u1", password: "p" },
    );
  });

  it("stops where another box writes the same recording, and names both", options, async () => {
    await withServer(async (server) => {
      const first = targetOf(server);
      await sendAll(first, "file-a", msgs.slice(0, 5));
      const second = targetOf(server, { instance: "two" });
      const error = await assertRejects(
        () => sendAll(second, "file-b", msgs.slice(0, 5)),
        TargetRefused,
      );
      assertEquals(error.scope, "target");
      assertStringIncludes(error.message, "one/");
      assertStringIncludes(error.message, "two/");
      await first.close();
      await second.close();
    });
  });

  it("waits for no answer over a connection that broke", options, async () => {
    await withServer((server) =>
      inTime(async () => {
        // Passes everything on, but hangs up as soon as the place in the stream is asked for.
        await using link = await linkThat(server.port, (bytes, hangUp) => {
          if (bytes.includes("$JS.API.STREAM.MSG.GET.")) hangUp();
        });
        const target = natsTarget({ url: link.url, box: "box-7", instance: "one" });
        const start = performance.now();
        await assertRejects(() => sendAll(target, "file-a", msgs.slice(0, 1)), Error, "broken");
        const ms = performance.now() - start;
        assert(ms < 8000, `the client itself would have waited for 10 s, and it took ${ms} ms`);
        await target.close();
      })
    );
  });

  it("says that a full stream is full, and goes on when there is room", options, async () => {
    await withServer(async (server, nats) => {
      await nats.manager.streams.add({
        name: STREAM,
        subjects: ["rerelay.>"],
        discard: "new",
        max_msgs: 1,
      });
      const target = targetOf(server);
      await sendAll(target, "file-a", msgs.slice(0, 1));
      const error = await assertRejects(() => sendAll(target, "file-a", msgs.slice(0, 3)), Error);
      assertStringIncludes(error.message, "full");
      assert(!(error instanceof TargetRefused));
      await nats.manager.streams.purge(STREAM);
      await sendAll(target, "file-a", msgs.slice(0, 3));
      await target.close();
      const { config } = await nats.manager.streams.info(STREAM);
      assertEquals(config.max_msgs, 1, "a stream that is there stays as it is");
    });
  });
});
