/** The programs of docs/library.md, run as they stand there, but for names of files and ports. */
import { afterEach, beforeEach, describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectHttp2 } from "node:http2";
import { connect } from "node:net";
import { createServer as createHttpServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ALL, arrowOf, GRPC, KINDS, MIXED, recorded } from "./encoding/chunks/recorded.ts";
import { chunks } from "../lib/encoding/mod.ts";
import { endMarker } from "../lib/encoding/rrd/rrd_encode.ts";
import type { LogMsg } from "../lib/encoding/log_msg.ts";
import { RrdDecoder } from "../lib/encoding/rrd/rrd_decoder.ts";
import { concat } from "./encoding/rrd_builder.ts";
import { fixture } from "./fixtures.ts";
import { read } from "./project/tree.ts";
import { freePort } from "./free_ports.ts";

const LONGEST = 20;
/** Programs that end with their server end so long after the test has seen what it waits for. */
const SERVED_MS = 500;

/** Programs by their headings. */
const PROGRAMS: ReadonlyMap<string, string> = new Map(
  [...read("docs/library.md").matchAll(/^#### ([^\n]*)\n+```ts\n(.*?)^```/gms)]
    .map(([, heading, code]) => [heading!, code!]),
);

let folder = "";
const lines: string[] = [];
const { log } = console;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "programs-"));
  lines.length = 0;
});

afterEach(() => {
  console.log = log;
  rmSync(folder, { recursive: true });
});

let runs = 0;

/** Runs a program with other texts in place of some of its own; gives what it printed. */
async function run(heading: string, texts: Readonly<Record<string, string>>): Promise<string[]> {
  let code = PROGRAMS.get(heading);
  assert(code !== undefined, `there is no program ${heading}`);
  for (const [text, other] of Object.entries(texts)) {
    assert(code.includes(text), `${heading}: there is no ${text}`);
    code = code.replaceAll(text, other);
  }
  // Beside this file, from where the packages are found.
  const path = fileURLToPath(new URL(`./.program-${Date.now()}-${++runs}.ts`, import.meta.url));
  writeFileSync(path, code);
  console.log = (...texts: unknown[]) => void lines.push(texts.join(" "));
  try {
    await import(pathToFileURL(path).href);
  } finally {
    console.log = log;
    rmSync(path);
  }
  return [...lines];
}

/** Messages as a file of Rerun's. */
function fileOf(messages: readonly LogMsg[]): Uint8Array {
  const { header } = messages[0]!.encoded;
  return concat(header.bytes, ...messages.map(({ encoded }) => encoded.bytes), endMarker(header));
}

function save(messages: readonly LogMsg[]): string {
  const path = join(folder, "robot.rrd");
  writeFileSync(path, fileOf(messages));
  return JSON.stringify(path);
}

/** Sends what an SDK sent, once somebody listens. */
function send(port: number, name: string): Promise<void> {
  return GRPC.includes(name) ? sendCall(port, name) : sendConnection(port, name);
}

/** As one `WriteMessages` call. */
async function sendCall(port: number, name: string): Promise<void> {
  for (;;) {
    const session = connectHttp2(`http://127.0.0.1:${port}`);
    const isOpen = await once(session, "connect").then(() => true, () => false);
    if (isOpen) {
      const call = session.request({
        ":method": "POST",
        ":path": "/rerun.sdk_comms.v1alpha1.MessageProxyService/WriteMessages",
        "content-type": "application/grpc",
        te: "trailers",
      });
      call.resume().end(fixture(`grpc/${name}.frames.bin`));
      await once(call, "end");
      session.close();
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function sendConnection(port: number, name: string): Promise<void> {
  for (;;) {
    const socket = connect(port, "127.0.0.1");
    const isOpen = await once(socket, "connect").then(() => true, () => false);
    if (!isOpen) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      continue;
    }
    socket.resume().end(fixture(`captures/${name}.bin`));
    return void await once(socket, "close");
  }
}

/** Who logged it, as its store's announcement says. */
function applicationOf(messages: readonly LogMsg[]): string {
  for (const msg of messages) {
    if (msg.kind === "SetStoreInfo" && msg.info.storeId.kind === "Recording") {
      return msg.info.applicationId!;
    }
  }
  throw new Error("Nothing was announced");
}

function sines(lines: readonly string[]): string[] {
  for (const line of lines) {
    const [frame, value] = line.split(" ").map(Number);
    assert(Math.abs(value! - Math.sin(frame! * 0.1)) < 1e-12, line);
  }
  return [...lines];
}

describe("the programs of the documentation", () => {
  it(`are six, of at most ${LONGEST} lines`, () => {
    assertEquals([...PROGRAMS.keys()], [
      "Scalars with their times",
      "Counts by entity",
      "Images to a function",
      "One application's file",
      "The viewer in an app of yours, behind its login",
      "A fetched recording",
    ]);
    for (const [heading, code] of PROGRAMS) {
      const lines = code.split("\n").filter((line) => line.trim() !== "");
      assert(lines.length <= LONGEST, `${heading} has ${lines.length} lines`);
    }
  });

  it("print scalars with their times, the same for every SDK", async () => {
    const seen: string[][] = [];
    for (const name of MIXED) {
      lines.length = 0;
      seen.push(
        sines(await run("Scalars with their times", { '"robot.rrd"': save(recorded(name)) })),
      );
    }
    const least = Math.min(...seen.map(({ length }) => length));
    assert(least >= 20);
    for (const each of seen) assertEquals(each.slice(0, least), seen[0]!.slice(0, least));
  });

  it("print those of any entity, and of SDK 0.9", async () => {
    const printed = async (messages: readonly LogMsg[], entity: string) => {
      lines.length = 0;
      const texts = { '"robot.rrd"': save(messages), '"/plots/sin"': JSON.stringify(entity) };
      return (await run("Scalars with their times", texts)).toSorted();
    };
    const scalars = await printed(recorded("0.9.1-scalars"), "/a");
    assertEquals(scalars, ["0 0", "1 1", "2 2", "3 3", "4 4"]);
    for (const [version, messages] of KINDS) {
      const seen = await printed(messages, "/s/x");
      assertEquals(seen.slice(0, 2), ["0 0.5", "100 100.5"], version);
      // Logged without a frame: at the time that it has.
      assertEquals(seen[3], "5 200.5", version);
      assertEquals([seen.length, seen[2]?.split(" ")[1]], [4, "300.5"], version);
    }
  });

  it("take scalars from a fetched recording", async () => {
    const server = createHttpServer((_, response) => {
      response.end(readFileSync(join(folder, "robot.rrd")));
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as { port: number };
    const seen: string[][] = [];
    for (const name of MIXED) {
      lines.length = 0;
      save(recorded(name));
      seen.push(sines(await run("A fetched recording", { "9090": String(port) })));
    }
    server.closeAllConnections?.();
    await new Promise((resolve) => server.close(resolve));
    for (const each of seen) assertEquals(each.slice(0, 20), seen[0]!.slice(0, 20));
  });

  it("give images to a function, of every SDK", async () => {
    for (const name of ALL) {
      lines.length = 0;
      const seen = await run("Images to a function", { '"robot.rrd"': save(recorded(name)) });
      assertEquals(new Set(seen), new Set(name.endsWith("-mixed") ? ["64 48 RGB8 9216"] : []));
    }
  });

  it("count by entity", async () => {
    for (const name of MIXED) {
      lines.length = 0;
      const port = await freePort();
      const sending = send(port, name);
      const seen = await run("Counts by entity", {
        "9876": String(port),
        "60_000": String(SERVED_MS),
      });
      await sending;
      const expected = new Map<string, [number, number]>();
      for (const msg of arrowOf(recorded(name))) {
        for (const { entityPath, rowCount, components } of chunks(msg)) {
          const [messages, rows] = expected.get(entityPath) ?? [0, 0];
          const isEmpty = components.length === 0;
          expected.set(entityPath, [messages + 1, rows + (isEmpty ? 0 : rowCount)]);
        }
      }
      assertEquals(
        seen.filter((line) => line.startsWith("/")),
        [...expected].map(([path, [messages, rows]]) => `${path} ${messages} ${rows}`),
      );
      // Messages are the SDK's to choose, rows the program's.
      const rowsOf = (path: string) => expected.get(path)?.[1];
      assertEquals(["/plots/sin", "/cam/image"].map(rowsOf), [30, 3], name);
    }
  });

  it("save the file of one application", async () => {
    for (const name of MIXED) {
      const all = recorded(name);
      const own = applicationOf(all);
      for (const application of name === "0.22.1-mixed" ? [own, "arm"] : [own]) {
        lines.length = 0;
        const port = await freePort();
        const path = join(folder, `${name}-${application}.rrd`);
        const sending = send(port, name);
        await run("One application's file", {
          '"arm.rrd"': JSON.stringify(path),
          '"arm"': JSON.stringify(application),
          "9876": String(port),
          "60_000": String(SERVED_MS),
        });
        await sending;
        const saved = new RrdDecoder().push(new Uint8Array(readFileSync(path))).items;
        assertEquals(saved.length, application === "arm" ? 0 : all.length, name);
      }
    }
  });

  it("show the viewer in an app that has a login of its own", async () => {
    const [port, site] = [await freePort(), await freePort()];
    const running = run("The viewer in an app of yours, behind its login", {
      "9876": String(port),
      "9090": String(site),
      "60_000": String(6 * SERVED_MS),
    });
    for (const name of MIXED) await send(port, name);
    const get = (path: string, password: string) =>
      fetch(`http://127.0.0.1:${site}${path}`, {
        headers: { authorization: `Basic ${btoa(`me:${password}`)}` },
      });
    const refused = await get("/robot/recordings", "wrong");
    assertEquals([refused.status, await refused.text()], [401, "Unauthorized"]);
    const page = await get("/robot", "secret");
    assertEquals([page.url, page.status], [`http://127.0.0.1:${site}/robot/`, 200]);
    assert((await page.text()).includes("<html"));
    // SDKs that gave their recordings one id are one recording.
    const expected = MIXED.reduce((sum, name) => sum + recorded(name).length, 0);
    for (;;) {
      const recordings: { messages: number }[] = await (await get("/robot/recordings", "secret"))
        .json();
      if (recordings.reduce((sum, { messages }) => sum + messages, 0) === expected) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await running;
  });
});
