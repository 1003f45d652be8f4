import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { memoryTcp, Server } from "../mod.ts";
import { fixture } from "./fixtures.ts";

describe("a bug inside one client's pipeline", () => {
  it("closes that client, is reported with its stack, and hurts no other", async () => {
    const net = memoryTcp();
    const lines: string[] = [];
    let healthy = false;
    const server = await Server.listen(net, {
      port: 9876,
      maxLatencySec: 1,
      log: {
        enabled: (level) => level === "error",
        write: (level, text) => void lines.push(`${level} ${text}`),
      },
      // The throttle asks for one at a client's first timeline.
      random: () => {
        if (healthy) return 0.5;
        throw new TypeError("injected");
      },
    });
    const capture = fixture("captures/0.22.1-mixed.bin");
    const send = async () => {
      const { writable, closed } = net.connect(9876);
      const writer = writable.getWriter();
      await writer.write(capture).catch(() => {});
      return { writer, closed };
    };
    const received = (async () => {
      const quits: [number, number, string | undefined][] = [];
      const counts = new Map<number, number>();
      for await (const { source, payload } of server) {
        if (payload.type === "msg") counts.set(source.id, (counts.get(source.id) ?? 0) + 1);
        else quits.push([source.id, counts.get(source.id) ?? 0, payload.error?.message]);
      }
      return quits;
    })();
    const first = await send();
    await first.closed;
    healthy = true;
    const second = await send();
    await second.writer.close();
    await second.closed;
    await server.close();
    const [broken, whole] = await received;
    assertEquals([broken![0], broken![2]], [1, "injected"]);
    assertEquals(whole, [2, 34, undefined]);
    const [line, ...others] = lines.filter((text) => text.startsWith("error A bug"));
    assertEquals(others, []);
    assert(/ended the client at 127\.0\.0\.1:\d+: .*injected/.test(line!), line);
    assert(line!.includes("bug_test.ts"), line);
  });
});
