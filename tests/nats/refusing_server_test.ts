/** Servers that refuse, reset or hang up while a box connects: they end nothing but the attempt. */
import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import { EventEmitter, once } from "node:events";
import { createServer, type Socket } from "node:net";
import { inTime } from "../in_time.ts";
import { natsTarget } from "../../lib/forward/nats_target.ts";
import { keepErrorListener } from "../../lib/nats/guarded_connect.ts";
import { batchOf, capturedMessages, numbered } from "../forward/batches.ts";

const INFO = `INFO ${
  JSON.stringify({
    ...{ server_id: "x", version: "2.15.0", proto: 1, max_payload: 1048576, headers: true },
    ...{ jetstream: true, auth_required: true },
  })
}\r\n`;

async function serverThat(treats: (socket: Socket) => void) {
  let connections = 0;
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    connections++;
    sockets.add(socket);
    socket.on("error", () => {});
    treats(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  return {
    url: `nats://127.0.0.1:${port}`,
    get connections() {
      return connections;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

const [message] = capturedMessages("0.22.1-mixed");
const batch = (recording: string) =>
  batchOf(recording, numbered([message!], 0).map((one) => ({ ...one, recording })));
const never = new AbortController().signal;

describe("a server that refuses", () => {
  it("and resets the connection ends no program", async () => {
    await using server = await serverThat((socket) => {
      socket.write(INFO);
      socket.once("data", () => {
        // What the client sends to a socket that is closed is answered by a reset.
        socket.end("-ERR 'Authorization Violation'\r\n", () => socket.destroy());
      });
    });
    const target = natsTarget({ url: server.url, box: "box", instance: "4f1c" });
    for (let i = 0; i < 40; i++) await assertRejects(() => target.send(batch("r"), never), Error);
    await target.close();
    // An error that nobody listens to comes in a turn of the loop of its own.
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert(server.connections >= 40, `${server.connections}`);
  });

  it("by an error that comes when the client listens to nothing any more is no error", () => {
    const socket = new EventEmitter();
    assertThrows(() => socket.emit("error", new Error("read ECONNRESET")), Error, "ECONNRESET");
    keepErrorListener(socket, () => {});
    socket.on("close", () => {
      throw new Error("closed");
    });
    socket.removeAllListeners();
    socket.emit("close");
    socket.removeAllListeners("error");
    assert(socket.emit("error", new Error("read ECONNRESET")));
  });

  it("is tried once for all recordings that wait", async () => {
    await using server = await serverThat((socket) => {
      socket.write(INFO);
      socket.once("data", () => socket.end("-ERR 'Authorization Violation'\r\n"));
    });
    const target = natsTarget({ url: server.url, box: "box", instance: "4f1c" });
    const all = Array.from({ length: 50 }, (_, i) => target.send(batch(`r${i}`), never));
    const ended = await Promise.allSettled(all);
    assert(ended.every(({ status }) => status === "rejected"));
    assertEquals(server.connections, 1);
    await assertRejects(() => target.send(batch("r"), never), Error);
    assertEquals(server.connections, 2);
    await target.close();
  });

  it(
    "by hanging up after its greeting is left after 5 s",
    { timeout: 60_000 },
    () =>
      inTime(async () => {
        await using server = await serverThat((socket) => void socket.end(INFO));
        const target = natsTarget({ url: server.url, box: "box", instance: "4f1c" });
        const start = performance.now();
        await assertRejects(() => target.send(batch("r"), never), Error);
        const ms = performance.now() - start;
        assert(ms < 9000, `it took ${ms} ms`);
        await target.close();
      }),
  );

  it("to say a word keeps nobody who ends", () =>
    inTime(async () => {
      await using server = await serverThat(() => {});
      const target = natsTarget({ url: server.url, box: "box", instance: "4f1c" });
      const ending = new AbortController();
      const sending = target.send(batch("r"), ending.signal);
      ending.abort(new Error("the program ends"));
      await assertRejects(() => sending, Error, "the program ends");
      const start = performance.now();
      await target.close();
      assert(performance.now() - start < 2000);
    }));
});
