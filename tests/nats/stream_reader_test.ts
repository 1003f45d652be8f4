import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { SYSTEM_CLOCK } from "../../lib/base/clock.ts";
import { reason } from "../../lib/base/errors.ts";
import { silentLog } from "../../lib/base/log.ts";
import { connectNats, type Nats } from "../../lib/nats/connection.ts";
import { StreamReader } from "../../lib/nats/stream_reader.ts";
import { NatsServer, noNats } from "./nats_server.ts";
import { abortListenersLeft } from "../abort_listeners.ts";

/** A server that sends one message after the other, each in a turn of its own. */
function sending(count: number): Nats {
  const subscription = { getSubject: () => "_INBOX.a", unsubscribe() {} };
  return {
    connection: {
      isClosed: () => false,
      publish() {},
      subscribe(_: string, { callback }: { callback: (error: null, msg: unknown) => void }) {
        let sent = 0;
        const send = () => {
          if (sent === count) return;
          sent++;
          callback(null, {
            subject: "rerelay.a.b.c",
            reply: `$JS.ACK.RERELAY.name.1.${sent}.${sent}.1000000.${count - sent}`,
            data: new Uint8Array(1),
            size: () => 1,
          });
          setTimeout(send);
        };
        setTimeout(send);
        return subscription;
      },
    },
    manager: {
      consumers: {
        add: () => Promise.resolve({ name: "name" }),
        delete: () => Promise.resolve(true),
      },
      streams: { info: () => Promise.resolve({ created: "today" }) },
    },
    link: new AbortController().signal,
    inbox: () => "_INBOX.a",
  } as unknown as Nats;
}

describe("StreamReader", () => {
  it("leaves nothing at the signals that it waits for, however often it waits", async () => {
    const { now, delay, timer } = SYSTEM_CLOCK;
    const reader = new StreamReader({
      ...{ nats: sending(20), subjects: ["rerelay.>"], after: 0, pullBytes: 1000 },
      ...{ created: "today", log: silentLog, clock: { now, delay, timer } },
    });
    const ending = new AbortController();
    const seqs: number[] = [];
    const left = await abortListenersLeft(async () => {
      for await (const { seq } of reader.read(ending.signal)) {
        seqs.push(seq);
        if (seq === 20) ending.abort();
      }
    });
    assertEquals(seqs, Array.from({ length: 20 }, (_, i) => i + 1));
    assertEquals(left, 0);
  });

  for (const asked of ["info", "add"] as const) {
    it(`ends at once where the server does not answer what it asks first (${asked})`, async () => {
      const { now, delay, timer } = SYSTEM_CLOCK;
      const nats = sending(1);
      const isAsked = Promise.withResolvers<void>();
      const never = () => {
        isAsked.resolve();
        return new Promise(() => {});
      };
      Object.assign(asked === "info" ? nats.manager.streams : nats.manager.consumers, {
        [asked]: never,
      });
      const reader = new StreamReader({
        ...{ nats, subjects: ["rerelay.>"], after: 0, pullBytes: 1000 },
        ...{ created: "today", log: silentLog, clock: { now, delay, timer } },
      });
      const ending = new AbortController();
      const next = reader.read(ending.signal).next();
      await isAsked.promise;
      ending.abort();
      assertEquals(await next, { done: true, value: undefined });
    });
  }

  it("says that the stream can't be read while the server refuses, or says nothing", async () => {
    // By turns a consumer is refused, gets nothing, and gets something.
    const attempts = ["refused", "silent", "silent", "sending"];
    const told: string[] = [];
    const server = sending(1);
    const { subscribe } = server.connection;
    let now = 0;
    Object.assign(server.connection, {
      subscribe: (...args: Parameters<typeof subscribe>) =>
        attempts.shift() === "silent"
          ? { getSubject: (): string => "_INBOX.a", unsubscribe() {} }
          : subscribe(...args),
    });
    Object.assign(server.manager.consumers, {
      add() {
        told.push(attempts[0]!);
        if (attempts[0] !== "refused") return Promise.resolve({ name: "name" });
        attempts.shift();
        return Promise.reject(new Error("not allowed"));
      },
    });
    const timer = (ms: number, task: () => void) => {
      now += ms;
      const timer = setTimeout(task, attempts.length === 0 ? 1000 : 0);
      return () => clearTimeout(timer);
    };
    const reader = new StreamReader({
      ...{ nats: server, subjects: ["rerelay.>"], after: 0, pullBytes: 1000 },
      ...{ created: "today", log: silentLog },
      clock: { now: () => now, delay: () => Promise.resolve(), timer },
      onReading: (isReading) => void told.push(isReading ? "yes" : "no"),
      onFailure: (error) => void told.push(reason(error)),
    });
    for await (const _ of reader.read(new AbortController().signal)) break;
    assertEquals(told, [
      ...["refused", "no", "not allowed"],
      ...["silent", "yes", "no", "the server says nothing"],
      ...["silent", "no", "the server says nothing"],
      ...["sending", "yes"],
    ]);
  });

  it("reads what is larger than it asks for, and goes on where its consumer was removed", {
    ...{ skip: noNats, timeout: 60_000 },
  }, async () => {
    await using server = await NatsServer.start();
    const nats = await connectNats({ url: server.url, clientName: "test" });
    const { consumers, streams } = nats.manager;
    const { created } = await streams.add({ name: "RERELAY", subjects: ["rerelay.*.*.*"] });
    const sizes = [10, 50_000, 10, 90_000, 200, 11];
    const publish = (size: number) => nats.client.publish("rerelay.a.b.c", new Uint8Array(size));
    for (const size of sizes.slice(0, 5)) await publish(size);
    const reader = new StreamReader({
      ...{ nats, subjects: ["rerelay.>"], after: 0, pullBytes: 1000 },
      ...{ created, log: silentLog, clock: SYSTEM_CLOCK },
    });
    const came: number[] = [];
    for await (const { data } of reader.read(new AbortController().signal)) {
      came.push(data.length);
      if (came.length === sizes.length) break;
      if (came.length < 5) continue;
      for await (const { name } of consumers.list("RERELAY")) {
        await consumers.delete("RERELAY", name);
      }
      await publish(11);
    }
    assertEquals(came, sizes);
    await nats.connection.close();
  });
});
