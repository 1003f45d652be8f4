import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readFileSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Bridge } from "../../../lib/bridge/mod.ts";
import { frames } from "../../comms/h2/wire.ts";
import { scan } from "../../recordings/inputs.ts";
import { type Cli, inFolder, runCli, startCli } from "../cli_process.ts";

const path = (name: string) => fileURLToPath(new URL(`../../fixtures/${name}`, import.meta.url));
const NEW = path("grpc/0.41.0.saved-by-rerun.rrd");
const OLD = path("encodings/0.22.1-mixed-msgpack-off.rrd");
const TABLES = path("tables/0.16.1-static-row.rrd");

const replay = (...args: string[]) => runCli(["rrd", "replay", ...args]);

function messages(file: string) {
  return scan([new Uint8Array(readFileSync(file))]).parts
    .flatMap((part) => part.kind === "message" ? [part.msg] : []);
}

async function stop(cli: Cli): Promise<void> {
  cli.signal("SIGINT");
  assertEquals((await cli.ended).code, 0);
}

/** A server that does what it is told with each connection. */
async function fake(serve: (socket: Socket) => void) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    serve(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    to: `rerun+http://127.0.0.1:${(server.address() as AddressInfo).port}/proxy`,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

describe("cli.ts rrd replay by gRPC", { timeout: 120_000 }, () => {
  it("sends what it was logged with: the server saves the same messages", () =>
    inFolder(async (folder) => {
      const saved = join(folder, "a.rrd");
      const { cli, port } = await startCli(["--save", saved]);
      const to = `rerun+http://127.0.0.1:${port}/proxy`;
      const { code, stderr } = await replay(NEW, "--to", to);
      assertEquals(code, 0, stderr);
      assertStringIncludes(stderr, `7 messages, 73.4 kB, sent to ${to} in `);
      await stop(cli);
      const bytes = (file: string) => messages(file).map(({ encoded }) => encoded.bytes);
      assertEquals(bytes(saved), bytes(NEW));
      assertStringIncludes(cli.stderr, "over gRPC");
      assert(!/WARN|ERROR/.test(cli.stderr), cli.stderr);
    }));

  it("sends what older SDKs logged in today's form, and refuses their tables before anything is sent", () =>
    inFolder(async (folder) => {
      const saved = join(folder, "a.rrd");
      const { cli, port } = await startCli(["--save", saved]);
      const to = `rerun+http://127.0.0.1:${port}/proxy`;
      const { code, stderr } = await replay(OLD, "--to", to);
      assertEquals(code, 0, stderr);
      assertStringIncludes(stderr, "34 messages sent in the form of Rerun 0.23");
      const tables = await replay(TABLES, "--to", to);
      assertEquals(tables.code, 1);
      assertStringIncludes(tables.stderr, "0.16.1, which logs tables");
      await stop(cli);
      const bridge = new Bridge();
      const expected = bridge.push(messages(OLD)).items.map(({ encoded }) => encoded.bytes);
      assertEquals(messages(saved).map(({ encoded }) => encoded.bytes), expected);
    }));

  it("sends each of several files to the server of its kind", () =>
    inFolder(async (folder) => {
      const servers = [];
      for (const name of ["old", "new"]) {
        servers.push(await startCli(["--save", join(folder, `${name}.rrd`)]));
      }
      const [old, today] = servers;
      const { code, stdout, stderr } = await replay(
        ...[NEW, OLD, "--json", "--to", `127.0.0.1:${old!.port}`],
        ...["--to", `rerun+http://127.0.0.1:${today!.port}/proxy`],
      );
      assertEquals(code, 0, stderr);
      const reports = stdout.trim().split("\n").map((line) => JSON.parse(line));
      assertEquals(reports.map(({ file, messages }) => [file, messages]), [[NEW, 7], [OLD, 34]]);
      for (const { cli } of servers) await stop(cli);
      const bytes = (file: string) => messages(file).map(({ encoded }) => encoded.bytes);
      assertEquals(bytes(join(folder, "old.rrd")), bytes(OLD));
      assertEquals(bytes(join(folder, "new.rrd")), bytes(NEW));
    }));

  it("says why the server took it not, and what to do", async () => {
    const { cli, port } = await startCli(["--max-message", "10kB"]);
    const to = `rerun+http://127.0.0.1:${port}/proxy`;
    const large = await replay(NEW, "--to", to);
    assertEquals(large.code, 1);
    const told = /error: The server \S+ went away after \d messages?: .*--max-message/;
    assert(told.test(large.stderr), large.stderr);
    await stop(cli);
    {
      await using web = await fake((socket) =>
        socket.once("data", () => socket.end("HTTP/1.1 400 Bad Request\r\n\r\n"))
      );
      const { code, stderr } = await replay(NEW, "--to", web.to);
      assertEquals(code, 1);
      assertStringIncludes(stderr, "takes nothing by gRPC");
      assertStringIncludes(stderr, "--to HOST:PORT");
    }
    const none = await replay(NEW, "--to", to, "--timeout", "50ms");
    assertEquals(none.code, 1);
    assertStringIncludes(none.stderr, `No server takes connections at 127.0.0.1:${port}`);
  });

  it("gives up on a server that takes nothing, having sent no more than it let it", async () => {
    let received = 0;
    // SETTINGS, and never a WINDOW_UPDATE.
    const settings = Uint8Array.of(0, 0, 0, 4, 0, 0, 0, 0, 0);
    await using deaf = await fake((socket) => {
      socket.write(settings);
      socket.on("data", (data) => received += (data as Uint8Array).length);
    });
    const { code, stderr } = await replay(NEW, "--to", deaf.to, "--timeout", "500ms");
    assertEquals(code, 1, stderr);
    assertStringIncludes(stderr, "took nothing for 0.5 s");
    assertStringIncludes(stderr, "--timeout");
    assert(received > 60_000 && received < 68_000, `${received} bytes`);
    assertEquals(frames(settings).length, 1);
  });
});
