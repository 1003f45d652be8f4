import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Bridge } from "../../../lib/bridge/mod.ts";
import { BRIDGED, capturedMessages, chunkOf } from "../../bridge/chunks.ts";
import { concat } from "../../encoding/rrd_builder.ts";
import { capturePackets, fixture } from "../../fixtures.ts";
import { grpcMessages } from "../../grpc_frames.ts";
import { scan } from "../../recordings/inputs.ts";
import { inFolder } from "../cli_process.ts";
import { run } from "./run.ts";

const migrate = (...args: string[]) => run("migrate", ...args);

/** What stands in a file, and how its messages begin and end. */
function partsOf(path: string) {
  const { parts, error } = scan([new Uint8Array(readFileSync(path))]);
  assertEquals(error, undefined);
  const messages = parts.flatMap((part) => part.kind === "message" ? [part.msg] : []);
  const others = parts.filter(({ kind }) => kind !== "message").map(({ kind }) => kind);
  return { messages, others };
}

describe("rrd migrate", { timeout: 60_000 }, () => {
  it("gives recordings of 0.17 to 0.22 today's form, under one header", () =>
    inFolder(async (folder) => {
      for (const name of BRIDGED) {
        const [input, output] = [join(folder, `${name}.rrd`), join(folder, `${name}-new.rrd`)];
        writeFileSync(input, concat(...capturePackets(name)));
        const { code, stdout, stderr } = await migrate(input, "-o", output, "--json");
        assertEquals(code, 0);
        const old = capturedMessages(name);
        const { chunk_index, ...report } = JSON.parse(stdout);
        const today = new Bridge().push(old).items;
        assertEquals(chunk_index, today.filter(({ kind }) => kind === "ArrowMsg").length);
        assertEquals(report, {
          ...{ file: output, messages: today.length, repeated_messages: 0, headers: 1 },
          ...{ migrated: old.length, already_current: 0, given_chunk_ids: 0 },
          ...{ damaged_schemas: 0, unknown_messages: 0 },
          untagged_columns: {},
        });
        assertEquals(stderr.includes("laid out otherwise"), false, stderr);
        const { messages, others } = partsOf(output);
        assertEquals(others, ["header", "end"]);
        const bytes = today.map(({ encoded }) => encoded.bytes);
        assertEquals(messages.map(({ encoded }) => encoded.bytes), bytes);
        assertEquals(messages[0]!.encoded.header.version, {
          major: 0,
          minor: 23,
          patch: 4,
          meta: 0,
        });
      }
    }));

  it("takes all encodings, and leaves what is of today as it is", () =>
    inFolder(async (folder) => {
      const url = (name: string) => new URL(`../../fixtures/${name}`, import.meta.url).pathname;
      const files = ["msgpack-off", "msgpack-lz4", "protobuf-off", "protobuf-lz4"]
        .map((name) => url(`encodings/0.22.1-mixed-${name}.rrd`));
      const written = [];
      for (const [i, file] of files.entries()) {
        const output = join(folder, `${i}.rrd`);
        assertEquals((await migrate(file, "-o", output)).code, 0);
        const { messages } = partsOf(output);
        written.push(messages.map((msg) => msg.kind === "ArrowMsg" ? msg.ipc() : msg.kind));
        // Once more changes nothing.
        const again = join(folder, `${i}-again.rrd`);
        const { stderr } = await migrate(output, "-o", again);
        assertStringIncludes(stderr, "35 messages written, 0 migrated");
        assertEquals(readFileSync(again), readFileSync(output));
      }
      for (const each of written.slice(1)) assertEquals(each, written[0]);
      const all = join(folder, "all.rrd");
      const { stderr } = await migrate(url("grpc/0.41.0.saved-by-rerun.rrd"), files[0]!, "-o", all);
      assertEquals(stderr.includes("encodings"), false, stderr);
      assertEquals(partsOf(all).others, ["header", "end"]);
    }));

  it("says where it gives chunks of SDK 0.23 their id, and once only", () =>
    inFolder(async (folder) => {
      const [input, output] = [join(folder, "old.rrd"), join(folder, "new.rrd")];
      const messages = grpcMessages("0.23.4-mixed");
      const chunks = messages.filter((msg) => msg.kind === "ArrowMsg" && !msg.chunkId).length;
      const { header } = messages[0]!.encoded;
      writeFileSync(input, concat(header.bytes, ...messages.map(({ encoded }) => encoded.bytes)));
      const told = async (from: string, to: string) =>
        JSON.parse((await migrate(from, "-o", to, "--json")).stdout);
      const first = await told(input, output);
      assertEquals([first.migrated, first.given_chunk_ids], [0, chunks]);
      assert(chunks > 0);
      const { stderr } = await migrate(input, "-o", join(folder, "text.rrd"));
      assertStringIncludes(stderr, `0 migrated, ${chunks} given the id of their chunk`);
      assertEquals((await told(output, join(folder, "again.rrd"))).given_chunk_ids, 0);
    }));

  it("refuses tables of 0.16 and before, and leaves nothing behind", () =>
    inFolder(async (folder) => {
      const [input, output] = [join(folder, "old.rrd"), join(folder, "new.rrd")];
      writeFileSync(input, concat(...capturePackets("0.16.1-mixed")));
      const { code, stderr } = await migrate(input, "-o", output);
      assertEquals(code, 1);
      assertStringIncludes(stderr, "old.rrd: it is of SDK 0.16.1, which logs tables");
      assertEquals(readdirSync(folder), ["old.rrd"]);
    }));

  it("refuses damage, or reads over it", () =>
    inFolder(async (folder) => {
      const [input, output] = [join(folder, "cut.rrd"), join(folder, "new.rrd")];
      writeFileSync(input, fixture("encodings/0.22.1-mixed-msgpack-off.rrd").subarray(0, 100_000));
      assertEquals((await migrate(input, "-o", output)).code, 1);
      assert(!existsSync(output));
      const { code, stderr } = await migrate(input, "-o", output, "--continue-on-error");
      assertEquals(code, 0);
      assertStringIncludes(stderr, "lost at byte");
      assert(partsOf(output).messages.length > 5);
    }));

  it("keeps chunks whose schema can't be read, and says so", () =>
    inFolder(async (folder) => {
      const [input, output] = [join(folder, "bad.rrd"), join(folder, "new.rrd")];
      const packets = capturePackets("0.20.3-mixed");
      const msg = capturedMessages("0.20.3-mixed").find(({ kind }) => kind === "ArrowMsg")!;
      const bytes = concat(...packets);
      const ipc = msg.kind === "ArrowMsg" ? msg.ipc() : new Uint8Array(0);
      // The root of its metadata leads outside.
      const at = indexOf(bytes, ipc);
      bytes.fill(0xff, at + 8, at + 12);
      writeFileSync(input, bytes);
      const { code, stderr } = await migrate(input, "-o", output);
      assertEquals(code, 0);
      assertStringIncludes(stderr, "1 chunk of a schema that can't be read, kept as they came");
      const kept = partsOf(output).messages.filter((msg) =>
        msg.kind === "ArrowMsg" && msg.ipc().length === ipc.length && msg.ipc()[8] === 0xff
      );
      assertEquals(kept.length, 1);
      assertEquals(
        chunkOf(bytes.slice(at, at + ipc.length)).ipc(),
        (kept[0] as typeof msg & { ipc(): Uint8Array }).ipc(),
      );
    }));
});

function indexOf(bytes: Uint8Array, part: Uint8Array): number {
  for (let at = 0; at < bytes.length; at++) {
    if (part.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  throw new Error("it is not in it");
}
