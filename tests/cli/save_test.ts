import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { capturePackets, fixture } from "../fixtures.ts";
import { concat } from "../sinks/messages.ts";
import { inFolder, replay, startCli } from "./cli_process.ts";

const MARKER = new Uint8Array(8);

/** The messages of a recorded connection: its packets without their headers. */
function messagesOf(name: string): Uint8Array[] {
  return capturePackets(name).map((packet) => packet.subarray(12));
}

function headerOf(name: string): Uint8Array {
  return capturePackets(name)[0]!.subarray(0, 12);
}

function read(path: string): Uint8Array {
  return new Uint8Array(readFileSync(path));
}

/** What an SDK would send to have this file's messages arrive, one a packet. */
function packetsOf(rrd: Uint8Array<ArrayBuffer>): Uint8Array {
  const view = new DataView(rrd.buffer);
  const parts: Uint8Array[] = [Uint8Array.of(1, 0), new TextEncoder().encode("rerun")];
  const protobuf = rrd[9] === 2;
  for (let at = 12; at < rrd.length;) {
    const length = protobuf
      ? 16 + Number(view.getBigUint64(at + 8, true))
      : 8 + view.getUint32(at, true);
    const marker = new Uint8Array(protobuf ? 16 : 0);
    const packet = concat(rrd.subarray(0, 12), rrd.subarray(at, at + length), marker);
    if (length > 16) parts.push(new Uint8Array(Uint32Array.of(packet.length).buffer), packet);
    at += length;
  }
  return concat(...parts);
}

describe("cli.ts --save", { timeout: 60_000 }, () => {
  for (const name of ["0.22.1-mixed", "0.18.2-mixed", "0.9.1-scalars"]) {
    it(`keeps exactly what ${name} logged`, () =>
      inFolder(async (folder) => {
        const path = join(folder, "a.rrd");
        const { cli, port } = await startCli(["--save", path]);
        await replay(port, fixture(`captures/${name}.bin`));
        cli.signal("SIGINT");
        const { code, stdout } = await cli.ended;
        assertEquals([code, stdout], [0, ""]);
        const marker = name.startsWith("0.22") ? [MARKER] : [];
        assertEquals(read(path), concat(headerOf(name), ...messagesOf(name), ...marker));
        assertEquals(readdirSync(folder).sort(), ["a.rrd", "a.rrd.index.jsonl"]);
      }));
  }

  it("puts two SDK versions into one file, with one warning", () =>
    inFolder(async (folder) => {
      const path = join(folder, "a.rrd");
      const { cli, port } = await startCli(["--save", path]);
      for (const name of ["0.20.3-mixed", "0.22.1-mixed", "0.22.1-timeonly"]) {
        await replay(port, fixture(`captures/${name}.bin`));
        await cli.sees(new RegExp(`${messagesOf(name).length} messages`));
      }
      cli.signal("SIGTERM");
      const { code, stderr } = await cli.ended;
      assertEquals(code, 0);
      const names = ["0.20.3-mixed", "0.22.1-mixed", "0.22.1-timeonly"];
      assertEquals(
        read(path),
        concat(headerOf("0.20.3-mixed"), ...names.flatMap(messagesOf), MARKER),
      );
      assertEquals(stderr.match(/WARN/g)?.length, 1);
      assertStringIncludes(stderr, "begins with data of Rerun 0.20.3; data of 0.22.1 goes under");
    }));

  it("gives each encoding its own file", () =>
    inFolder(async (folder) => {
      const path = join(folder, "a.rrd");
      const { cli, port } = await startCli(["--save", path]);
      const names = ["msgpack-off", "msgpack-lz4", "protobuf-off", "protobuf-lz4"];
      for (const [i, name] of names.entries()) {
        await replay(port, packetsOf(fixture(`encodings/0.22.1-mixed-${name}.rrd`)));
        await cli.sees(new RegExp(`(left: .*\\n[^]*){${i + 1}}`));
      }
      cli.signal("SIGINT");
      assertEquals((await cli.ended).code, 0);
      const saved = readdirSync(folder).filter((name) => name.endsWith(".rrd"));
      assertEquals(saved.sort(), ["a.2.rrd", "a.3.rrd", "a.4.rrd", "a.rrd"]);
      for (const [i, file] of ["a.rrd", "a.2.rrd", "a.3.rrd", "a.4.rrd"].entries()) {
        assertEquals(
          read(join(folder, file)),
          fixture(`encodings/0.22.1-mixed-${names[i]}.rrd`) as Uint8Array,
          file,
        );
      }
    }));

  it("leaves a valid, empty recording when nothing was logged", () =>
    inFolder(async (folder) => {
      const { cli } = await startCli(["--save", join(folder, "a.rrd")]);
      await cli.sees(/Saving what is logged/);
      cli.signal("SIGTERM");
      assertEquals((await cli.ended).code, 0);
      const bytes = read(join(folder, "a.rrd"));
      assertEquals(bytes.length, 20);
      assert(bytes.subarray(12).every((byte) => byte === 0));
    }));
});
