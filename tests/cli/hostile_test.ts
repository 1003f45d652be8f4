import { describe, it } from "node:test";
import { assert, assertEquals, assertLess } from "@std/assert";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { startChild } from "../contract/child.ts";
import {
  arrowMsg,
  concat,
  Entries,
  framed,
  HELLO,
  rrdHeader,
  rrdMessage,
  setStoreInfo,
  storeInfoFields,
} from "../encoding/rrd_builder.ts";
import { fixture } from "../fixtures.ts";
import { Cli, inFolder, open, replay, startCli } from "./cli_process.ts";

const CROWD = new URL("crowd_child.ts", import.meta.url);
const CAPTURE = fixture("captures/0.22.1-mixed.bin");
const noFds = process.platform !== "linux" && "descriptors are counted on Linux only";

/** A packet that announces a recording. */
function announcement(application_id: string, id: string): Uint8Array {
  const info = { ...storeInfoFields(), application_id, store_id: { kind: "Recording", id } };
  return framed(concat(rrdHeader(), rrdMessage(setStoreInfo(info))));
}

const descriptors = (pid: number) => readdirSync(`/proc/${pid}/fd`).length;

/** Waits until something is so; the deadline is that of the test. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 20));
}

describe("cli.ts among hostile peers", { timeout: 60_000 }, () => {
  it("shows nothing of a peer unescaped, as text and as JSON", async () => {
    const evil = "\x1b[2J\x1b]0;owned\x07\r\n\x9b31m\u202eevil";
    const store = { kind: evil, id: evil };
    const wrong = (value: unknown) =>
      concat(HELLO, framed(concat(rrdHeader(), rrdMessage(value as Uint8Array))));
    const streams = [
      concat(HELLO, announcement(evil, evil)),
      concat(
        HELLO,
        framed(concat(rrdHeader(), rrdMessage(arrowMsg(new Entries([[1, 2]]), { id: evil })))),
      ),
      wrong(setStoreInfo({ ...storeInfoFields(), store_id: store })),
      wrong(setStoreInfo({ ...storeInfoFields(), started: evil })),
      wrong(setStoreInfo({
        ...storeInfoFields(),
        store_source: { File: { file_source: evil } },
      })),
      wrong(arrowMsg(new Entries([[new Entries([["name", evil], ["typ", evil]]), 1]]))),
      wrong(concat(Uint8Array.of(0x81, 0xa0 + 20), new TextEncoder().encode(evil.slice(0, 19)))),
    ];
    for (const format of ["text", "json"]) {
      const { cli, port } = await startCli(["--log-format", format, "--log-level", "trace"]);
      for (const bytes of streams) await replay(port, bytes);
      await cli.sees(/owned/);
      cli.signal("SIGTERM");
      const { code, stderr } = await cli.ended;
      assertEquals(code, 0);
      // deno-lint-ignore no-control-regex
      assertEquals(/[\0-\x09\x0b-\x1f\x7f-\x9f\u202e]/.exec(stderr), null);
      for (const line of stderr.trim().split("\n")) {
        if (format === "json") JSON.parse(line);
        else assert(/^\[\d{4}-/.test(line), line);
      }
    }
  });

  it("lets in who is allowed, says so once a second, and warns where all may come", async () => {
    const { cli, port } = await startCli(["--allow", "10.0.0.0/8,fd00::/8"]);
    for (let i = 0; i < 50; i++) await replay(port, CAPTURE).catch(() => {});
    await cli.sees(/Refused a connection: 127\.0\.0\.1 is not allowed to connect \(--allow/);
    cli.signal("SIGTERM");
    const { stderr } = await cli.ended;
    assert(stderr.includes("Received 0 messages"), stderr);
    const refused = stderr.split("\n").filter((line) => line.includes("is not allowed"));
    assertLess(refused.length, 8);
    const counted = refused.map((line) => Number(/(\d+) more like/.exec(line)?.[1] ?? 0));
    assertEquals(
      counted.reduce((a, b) => a + b, 0) +
        refused.filter((line) => !/\d+ more like the last/.test(line)).length,
      50,
    );
    const local = await startCli(["--allow", "127.0.0.0/8"]);
    await replay(local.port, CAPTURE);
    await local.cli.sees(/left: 34 messages/);
    local.cli.signal("SIGTERM");
    await local.cli.ended;
    const wide = new Cli(["--port", "0", "--bind", "0.0.0.0"]);
    await wide.sees(/WARN .*Whoever reaches 0\.0\.0\.0:\d+ can connect: .*--allow/);
    wide.signal("SIGTERM");
    await wide.ended;
  });

  it("closes what is too much from one address", async () => {
    const { cli, port } = await startCli(["--max-per-address", "2"]);
    const sockets = [await open(port), await open(port), await open(port)];
    const last = sockets[2]!;
    last.on("error", () => {});
    last.resume();
    await new Promise((resolve) => last.on("close", resolve));
    await cli.sees(/127\.0\.0\.1 has 2 connections already \(--max-per-address/);
    for (const socket of sockets) socket.destroy();
    cli.signal("SIGTERM");
    assertEquals((await cli.ended).code, 0);
  });

  it("closes what connects too often", async () => {
    const { cli, port } = await startCli(["--max-connects-per-sec", "1"]);
    const connect = () => replay(port, new Uint8Array(0)).catch(() => {});
    while (!/127\.0\.0\.1 connects more than 1 time a second/.test(cli.stderr)) {
      await Promise.all([connect(), connect(), connect()]);
    }
    cli.signal("SIGTERM");
    assertEquals((await cli.ended).code, 0);
  });

  it("ends whoever goes beyond a limit that was given, and names it", async () => {
    const given = {
      "max-packet": "5kB",
      "max-message": "3kB",
      "max-messages": "2",
      "max-depth": "6",
      "max-entries": "50",
      "max-text": "1kB",
      "max-lz4-ratio": "10",
      "handshake-timeout": "300ms",
      "packet-timeout": "400ms",
      "idle-timeout": "500ms",
      "on-bad-arrow": "close",
    };
    const args = Object.entries(given).map(([name, value]) => `--${name}=${value}`);
    const { cli, port } = await startCli(args);
    const stream = (...messages: Uint8Array[]) => concat(HELLO, framed(concat(...messages)));
    const timelines = new Entries(
      Array.from({ length: 20 }, (_, i) => [
        new Entries([["name", `t${i}`], ["typ", "Sequence"]]),
        i,
      ]),
    );
    const good = rrdMessage(setStoreInfo());
    // Two bytes that declare 1500.
    const lz4 = Uint8Array.of(2, 0, 0, 0, 0xdc, 5, 0, 0, 0, 0);
    const deep = concat(
      setStoreInfo().subarray(0, 14),
      new Uint8Array(9).fill(0x91),
      Uint8Array.of(0),
    );
    const streams: Record<string, Uint8Array> = {
      "max-packet": stream(new Uint8Array(6000)),
      "max-message": stream(rrdHeader(), rrdMessage(new Uint8Array(4000))),
      "max-messages": stream(rrdHeader(), good, good, good),
      "max-depth": stream(rrdHeader(), rrdMessage(deep)),
      "max-entries": stream(rrdHeader(), rrdMessage(arrowMsg(timelines))),
      "max-text": stream(
        rrdHeader(),
        rrdMessage(arrowMsg(new Entries([]), { id: "x".repeat(1500) })),
      ),
      "max-lz4-ratio": stream(rrdHeader({ compression: 1 }), lz4),
      "on-bad-arrow": stream(rrdHeader(), rrdMessage(arrowMsg(new Entries([])))),
    };
    for (const [name, bytes] of Object.entries(streams)) {
      await replay(port, bytes).catch(() => {});
      await cli.sees(new RegExp(`Closing connection to client at [^ ]+ .*\\(--${name}, option `));
    }
    const silent: Record<string, Uint8Array> = {
      "handshake-timeout": HELLO.subarray(0, 1),
      "packet-timeout": concat(HELLO, framed(new Uint8Array(1000)).subarray(0, 10)),
      "idle-timeout": HELLO,
    };
    for (const [name, bytes] of Object.entries(silent)) {
      const socket = await open(port);
      socket.on("error", () => {});
      socket.resume();
      socket.write(bytes);
      await new Promise((resolve) => socket.on("close", resolve));
      await cli.sees(new RegExp(`\\(--${name}, option `));
    }
    cli.signal("SIGTERM");
    assertEquals((await cli.ended).code, 0);
  });

  it("serves again when descriptors are free, at ulimit -n 64, with few lines", {
    skip: process.platform === "win32" && "Windows has no such limit",
  }, async () => {
    const { cli, port } = await startCli([], { openFiles: 64 });
    const crowd = startChild(CROWD, [String(port)]);
    try {
      await crowd.next();
      crowd.tell("idle 150");
      await cli.sees(/Failed to accept incoming SDK client/);
      const late = replay(port, CAPTURE).catch(() => {});
      crowd.tell("leave");
      const freed = performance.now();
      await late;
      // At the limit Bun refuses at once, Deno when there is room: an SDK tries again.
      while (!/left: 34 messages/.test(cli.stderr)) {
        assertLess(performance.now() - freed, 30_000);
        await replay(port, CAPTURE).catch(() => {});
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
      cli.signal("SIGTERM");
      const { code, stderr } = await cli.ended;
      assertEquals(code, 0);
      assertLess(stderr.split("\n").length, 100);
    } finally {
      await crowd.stop();
    }
  });

  it("ends within 2 s with 1,000 clients", async () => {
    let [ms, code]: [number, number | null] = [Infinity, null];
    // Other programs of the machine may keep it from ending in time, or before it is cut off, with 1.
    for (let i = 0; i < 5 && (ms >= 2000 || code !== 0); i++) {
      const { cli, port } = await startCli(["--quiet"], { openFiles: 4096 });
      const crowd = startChild(CROWD, [String(port)], 4096);
      try {
        await crowd.next();
        crowd.tell("hello 1000");
        assertEquals(await crowd.next(), { open: 1000, closed: 0 });
        const start = performance.now();
        cli.signal("SIGTERM");
        ({ code } = await cli.ended);
        ms = performance.now() - start;
      } finally {
        await crowd.stop();
      }
    }
    assertEquals(code, 0);
    assertLess(ms, 2000);
  });

  it("closes every socket, however a client leaves", { skip: noFds }, async () => {
    const { cli, port } = await startCli(["--quiet"]);
    const pid = cli.child.pid!;
    await replay(port, CAPTURE);
    await until(() => descriptors(pid) > 0);
    const before = descriptors(pid);
    const streams = [
      new Uint8Array(0),
      HELLO.subarray(0, 3),
      HELLO,
      new TextEncoder().encode("GET / HTTP/1.1\r\n\r\n"),
      concat(HELLO, framed(new Uint8Array(50))),
      CAPTURE.subarray(0, 5000),
    ];
    for (let round = 0; round < 50; round++) {
      await Promise.all(streams.map((bytes) => replay(port, bytes).catch(() => {})));
    }
    await until(() => descriptors(pid) <= before + 2);
    cli.signal("SIGTERM");
    await cli.ended;
  });

  it("takes 20,000 recordings, and any names for them", () =>
    inFolder(async (folder) => {
      const { cli, port } = await startCli(["--save", join(folder, "a.rrd"), "--quiet"]);
      const packets = Array.from(
        { length: 20_000 },
        (_, i) => announcement(`app ${i}`, `rec ${i}`),
      );
      await replay(port, concat(HELLO, ...packets));
      cli.signal("SIGTERM");
      const { code, stdout } = await cli.ended;
      assertEquals([code, stdout], [0, ""]);
    }));
});
