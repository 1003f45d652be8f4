import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { Buffer } from "node:buffer";
import { forwardTo, type MessageTarget, TargetRefused } from "../../lib/forward/mod.ts";
import { RrdDecodeStream } from "../../mod.ts";
import { memoryFiles, rrdFileSink } from "../../lib/sinks/mod.ts";
import { announcement, chunk, received, told } from "./chunks.ts";

/** As in docs/library.md. */
function postTarget(url: string): MessageTarget {
  return {
    kind: "messages",
    name: url,
    limits: { maxBytes: 20_000, maxWaitMs: 5, maxUnderWay: 8 },
    async send({ file, messages }, signal) {
      const { header } = messages[0]!.msg.encoded;
      const bytes = messages.map(({ msg }) => Uint8Array.from(msg.encoded.bytes));
      const answer = await fetch(url, {
        method: "POST",
        headers: { "x-file": file, "x-numbers": messages.map(({ number }) => number).join() },
        body: new Blob([Uint8Array.from(header.bytes), ...bytes]),
        signal,
      });
      await answer.body?.cancel();
      if (answer.status === 413) throw new TargetRefused(`${url} takes no more at once`, "batch");
      if (!answer.ok) throw new Error(`${url} answers ${answer.status}`);
    },
    close: () => Promise.resolve(),
  };
}

/** Keeps each message once, and now and then loses an answer, or is out of order. */
async function receiver(fails: (request: number) => "before" | "after" | undefined) {
  const kept = new Map<string, string>();
  let requests = 0;
  const take = async (request: IncomingMessage) => {
    const parts: Uint8Array[] = [];
    for await (const part of request) parts.push(part);
    const { "x-file": file, "x-numbers": numbers } = request.headers;
    const [bytes, named] = [Buffer.concat(parts), String(numbers).split(",")];
    let at = 0;
    for await (const batch of new Blob([bytes]).stream().pipeThrough(new RrdDecodeStream())) {
      for (const msg of batch) {
        const key = `${file} ${named[at++]}`;
        if (!kept.has(key)) kept.set(key, told(msg) ?? msg.kind);
      }
    }
    assertEquals(at, named.length);
  };
  const server = createServer(async (request, response) => {
    const failure = fails(++requests);
    if (failure !== "before") await take(request);
    response.writeHead(failure === undefined ? 204 : 503).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/recordings`,
    kept,
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

describe("a target of one's own, written as the documentation says", () => {
  it("keeps each message once and in order, though answers are lost", async () => {
    const fails = (request: number) =>
      request % 5 === 2 ? "before" : request % 5 === 4 ? "after" : undefined;
    await using there = await receiver(fails);
    const forwarder = forwardTo(postTarget(there.url), { random: () => 0 });
    const path = "rec/{recording_id}-{part}.rrd";
    const files = memoryFiles();
    const sink = await rrdFileSink({ path, files, followers: [forwarder] });
    for (const recording of ["a", "b"]) await sink.write([received(announcement(recording))]);
    for (let i = 0; i < 40; i++) {
      await sink.write(["a", "b"].map((recording) => received(chunk(recording, i))));
    }
    for (const end = Date.now() + 20_000; forwarder.stats.sent.messages < 82;) {
      assert(Date.now() < end, JSON.stringify(forwarder.stats));
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    await sink.close();
    for (const recording of ["a", "b"]) {
      const came = [...there.kept.values()].filter((text) => text.startsWith(`${recording} `));
      assertEquals(came, Array.from({ length: 40 }, (_, i) => `${recording} ${i}`));
    }
    assertEquals([...there.kept.values()].filter((text) => text === "SetStoreInfo").length, 2);
  });

  it("is refused where nothing would ever be sent, with what is wrong", () => {
    const target = postTarget("http://127.0.0.1:1/");
    const limits = (change: object) => ({ ...target, limits: { ...target.limits, ...change } });
    const wrong: [unknown, string][] = [
      [{ ...target, limits: undefined }, "limits must be"],
      [{ ...target, kind: "message" }, "kind of the target must be"],
      [{ ...target, name: "" }, "name of the target must be a text"],
      [limits({ maxBytes: 0 }), "limits.maxBytes must be above 0, not 0"],
      [limits({ maxUnderWay: 0 }), "limits.maxUnderWay must be a whole number above 0, not 0"],
      [limits({ maxWaitMs: undefined }), "limits.maxWaitMs must be milliseconds"],
      [{ kind: "files", name: "x", sendFile() {}, close() {} }, "maxUnderWay must be a whole"],
    ];
    for (const [given, expected] of wrong) {
      const error = assertThrows(() => forwardTo(given as MessageTarget), RangeError);
      assert(error.message.startsWith(expected), error.message);
    }
  });
});
