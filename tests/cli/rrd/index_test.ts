import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { chmodSync, chownSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { chunkMessage, fileOf } from "../../chunk_index/chunks.ts";
import { described, footerOf, indexBytes, withFooter } from "../../chunk_index/footers.ts";
import { concat } from "../../encoding/rrd_builder.ts";
import { capturePackets, CAPTURES, fixture, fixtureJson } from "../../fixtures.ts";
import { readSchema } from "../../../lib/encoding/arrow/arrow_ipc.ts";
import { grpcMessages } from "../../grpc_frames.ts";
import { scan } from "../../recordings/inputs.ts";
import { inFolder, runCli } from "../cli_process.ts";
import { run } from "./run.ts";

const bytesOf = (path: string) => new Uint8Array(readFileSync(path));
const SAVED = "grpc/0.41.0.saved-by-rerun.rrd";

describe("rrd index", { timeout: 60_000 }, () => {
  it("ends files with a list of their chunks, once", () =>
    inFolder(async (folder) => {
      const path = join(folder, "a.rrd");
      writeFileSync(path, fixture(SAVED));
      chmodSync(path, 0o640);
      const { code, stdout } = await run("index", path);
      assertEquals(code, 0);
      assertStringIncludes(stdout, "5 chunks of 1 store listed");
      assertEquals(bytesOf(path), await withFooter(fixture(SAVED)));
      assertEquals(statSync(path).mode & 0o777, 0o640);
      assertEquals(readdirSync(folder), ["a.rrd"]);
      const { mtimeMs, ino } = statSync(path);
      const again = await run("index", "--json", path);
      const footer_bytes = bytesOf(path).length - fixture(SAVED).length;
      assertEquals(JSON.parse(again.stdout), [
        { file: path, ok: true, chunks: 5, stores: 1, footer_bytes, written: false },
      ]);
      assertEquals([statSync(path).mtimeMs, statSync(path).ino], [mtimeMs, ino]);
    }));

  const root = process.getuid?.() === 0 ? it : it.skip;
  root("leaves files to whom they belong", () =>
    inFolder(async (folder) => {
      const path = join(folder, "a.rrd");
      writeFileSync(path, fixture(SAVED));
      chownSync(path, 65534, 65533);
      chmodSync(path, 0o2640);
      assertEquals((await run("index", path)).code, 0);
      const { uid, gid, mode } = statSync(path);
      assertEquals([uid, gid, mode & 0o7777], [65534, 65533, 0o2640]);
    }));

  it("is named by verify and stats where there is none, and today's form could have one", () =>
    inFolder(async (folder) => {
      const told = async (path: string) => {
        const all = await Promise.all([runCli(["rrd", "stats", path]), run("verify", path)]);
        for (const { code } of all) assertEquals(code, 0);
        return all.map(({ stdout, stderr }) =>
          `${stdout}${stderr}`.includes("no chunk index, which rrd index adds")
        );
      };
      const [path, old] = [join(folder, "a.rrd"), join(folder, "old.rrd")];
      writeFileSync(path, fileOf(chunkMessage()));
      assertEquals(await told(path), [true, true]);
      assertEquals((await run("index", path)).code, 0);
      assertEquals(await told(path), [false, false]);
      writeFileSync(old, fixture("encodings/0.22.1-mixed-msgpack-off.rrd"));
      assertEquals(await told(old), [false, false]);
    }));

  it("renews one that is there", () =>
    inFolder(async (folder) => {
      const path = join(folder, "a.rrd");
      const whole = await withFooter(fileOf(chunkMessage()));
      const damaged = whole.slice();
      damaged[damaged.length - 100]! ^= 1;
      writeFileSync(path, damaged);
      assertEquals((await run("index", path)).code, 0);
      assertEquals(bytesOf(path), whole);
    }));

  it("leaves a file whose list has chunks that are not there any more", () =>
    inFolder(async (folder) => {
      const path = join(folder, "a.rrd");
      const [all, first] = [
        fileOf(chunkMessage(), chunkMessage({ id: 2 })),
        fileOf(chunkMessage()),
      ];
      const whole = await withFooter(all);
      const { messagesEnd } = await indexBytes(first);
      const second = (await indexBytes(all)).messagesEnd - messagesEnd;
      const holed = concat(
        whole.subarray(0, messagesEnd),
        whole.subarray(messagesEnd + second),
      );
      writeFileSync(path, holed);
      const { code, stderr } = await run("index", path);
      assertEquals(code, 1);
      assertStringIncludes(stderr, "its list has 1 chunk that is not in it any more");
      assertEquals(bytesOf(path), holed);
      const kept = join(folder, "kept.rrd");
      assertEquals((await run("recover", path, "-o", kept)).code, 0);
      assertEquals((await run("verify", "--strict", kept)).code, 0);
    }));

  it("tells where the end marker is missing, which does not show behind a list", () =>
    inFolder(async (folder) => {
      const path = join(folder, "a.rrd");
      const whole = await withFooter(fileOf(chunkMessage()));
      const cut = whole.subarray(0, (await indexBytes(whole)).messagesEnd);
      writeFileSync(path, cut);
      const strict = await run("index", "--strict", path);
      assertEquals(strict.code, 1);
      assertStringIncludes(strict.stderr, `no end marker at byte ${cut.length}`);
      assertEquals(bytesOf(path), cut);
      const { code, stderr } = await run("index", path);
      assertEquals(code, 0);
      assertStringIncludes(stderr, `no end marker at byte ${cut.length}`);
      assertEquals(bytesOf(path), whole);
    }));

  it("leaves what it can't index as it is, says why, and goes on", () =>
    inFolder(async (folder) => {
      const [torn, old, good, none] = ["torn.rrd", "old.rrd", "good.rrd", "none.rrd"].map((name) =>
        join(folder, name)
      );
      writeFileSync(none!, "hi");
      writeFileSync(torn!, fixture(SAVED).subarray(0, -7));
      writeFileSync(old!, concat(...capturePackets("0.22.1-mixed")));
      writeFileSync(good!, fixture(SAVED));
      const before = [torn, old].map((path) => bytesOf(path!));
      const { code, stdout, stderr } = await run("index", torn!, old!, none!, good!);
      assertEquals(code, 1);
      assert(
        /torn.rrd: No chunk index: it is cut short at byte.*; rrd recover writes/.test(stderr),
        stderr,
      );
      assert(
        /old.rrd: No chunk index: .* the form of SDK 0.22.1; rrd migrate gives/.test(stderr),
        stderr,
      );
      assert(/none.rrd: No chunk index: it is no recording\n/.test(stderr), stderr);
      assertStringIncludes(stdout, "good.rrd: 5 chunks");
      assertEquals([torn, old].map((path) => bytesOf(path!)), before);
      assertEquals(readdirSync(folder).sort(), ["good.rrd", "none.rrd", "old.rrd", "torn.rrd"]);
    }));

  it("wants files that it can write anew", () =>
    inFolder(async (folder) => {
      assertEquals((await run("index", "-")).code, 2);
      const none = await run("index", join(folder, "none.rrd"));
      assertEquals(none.code, 1);
      assertStringIncludes(none.stderr, "none.rrd: there is no such file");
      assertEquals((await run("index", folder)).code, 1);
    }));
});

describe("outputs of rrd commands", { timeout: 60_000 }, () => {
  it("end with a list of their chunks", () =>
    inFolder(async (folder) => {
      const input = join(folder, "in.rrd");
      writeFileSync(input, fixture("grpc/0.41.0-three-stores.merged-by-rerun.rrd"));
      const out = join(folder, "out.rrd");
      for (
        const args of [["merge", input, "-o"], ["recover", input, "-o"], ["migrate", input, "-o"]]
      ) {
        const { code, stdout } = await run(...args, out, "--force", "--json");
        assertEquals(code, 0);
        assertEquals(JSON.parse(stdout).chunk_index, 55);
        assertEquals(bytesOf(out), await withFooter(bytesOf(out)), args[0]);
        assertEquals(described(footerOf(bytesOf(out))).length, 3);
      }
      const { stdout } = await run("split", input, "-o", folder, "--json");
      const files = JSON.parse(stdout) as { file: string; chunk_index: number }[];
      assertEquals(files.length > 1, true);
      for (const { file, chunk_index } of files) {
        assert(chunk_index > 0);
        assertEquals(bytesOf(file), await withFooter(bytesOf(file)));
      }
    }));

  it("have none where Rerun can't have one, and say why", () =>
    inFolder(async (folder) => {
      const [input, out] = [join(folder, "in.rrd"), join(folder, "out.rrd")];
      const times = { "a b": [1n], a_b: [1n] };
      writeFileSync(input, fileOf(chunkMessage({ times })));
      const { code, stdout, stderr } = await run("merge", input, "-o", out, "--json");
      assertEquals([code, JSON.parse(stdout).chunk_index], [0, null]);
      assertStringIncludes(stderr, `out.rrd has no chunk index: its timelines "a b" and "a_b"`);
      assertEquals(bytesOf(out), bytesOf(input));
    }));

  it("of old recordings name columns as Rerun 0.41.0 does when it migrates them", () =>
    inFolder(async (folder) => {
      const oracle = fixtureJson("chunk_index/migrated-by-rerun-0.41.0.json") as Record<
        string,
        { recording: string; sha256: string; columns: string[] }[]
      >;
      const names = CAPTURES.filter((name) => Object.hasOwn(oracle, name));
      assertEquals(names.length, 6);
      for (const name of names) {
        const [input, out] = [join(folder, `${name}.rrd`), join(folder, `${name}-new.rrd`)];
        writeFileSync(input, concat(...capturePackets(name)));
        assertEquals((await run("migrate", input, "-o", out)).code, 0);
        // When it began is said in a chunk, which Rerun makes none of.
        const logged = join(folder, `${name}-logged.rrd`);
        const without = ["--drop-entity", "/__properties/recording", "-o", logged];
        assertEquals((await run("filter", out, ...without)).code, 0);
        type Described = {
          storeId: { id: string };
          sha256: string;
          columns: { name: string }[];
        };
        const ours = (described(footerOf(bytesOf(logged))) as Described[])
          .map(({ storeId, sha256, columns }) => ({
            ...{ recording: storeId.id, sha256, columns: columns.map(({ name }) => name) },
          }));
        // Images of 0.17 get today's columns here, and stay tensors there.
        if (name.startsWith("0.17")) {
          assertEquals(ours.length, oracle[name]!.length);
          continue;
        }
        const byId = (a: { recording: string }, b: { recording: string }) =>
          a.recording < b.recording ? -1 : 1;
        assertEquals(ours.sort(byId), oracle[name]!.sort(byId), name);
      }
    }));

  it("get the ids of chunks that SDK 0.23 left out", () =>
    inFolder(async (folder) => {
      const [input, out] = [join(folder, "in.rrd"), join(folder, "out.rrd")];
      const old = grpcMessages("0.23.4-mixed");
      writeFileSync(
        input,
        concat(old[0]!.encoded.header.bytes, ...old.map((m) => m.encoded.bytes)),
      );
      assertStringIncludes((await run("index", input)).stderr, "rrd migrate adds them");
      assertEquals((await run("migrate", input, "-o", out, "--json")).code, 0);
      const messages = scan([bytesOf(out)]).parts
        .flatMap((part) => part.kind === "message" ? [part.msg] : []);
      assertEquals(messages.length, old.length);
      for (const [i, msg] of messages.entries()) {
        const before = old[i]!;
        if (msg.kind !== "ArrowMsg" || before.kind !== "ArrowMsg") continue;
        assertEquals(msg.chunkId, readSchema(before.ipc()).chunkId);
        assertEquals(msg.arrow.bytes, before.arrow.bytes);
        assertEquals(before.chunkId, undefined);
      }
      assertEquals((await run("verify", out)).code, 0);
    }));
});

describe("rrd verify and stats of files with a chunk index", { timeout: 60_000 }, () => {
  const [first, second] = [chunkMessage({ id: 1 }), chunkMessage({ id: 2, times: {} })];
  const other = chunkMessage({ id: 3 });

  /** The file of some messages, with the index of others. */
  async function mixed(messages: Uint8Array[], listed: Uint8Array[]): Promise<Uint8Array> {
    const { footer } = await indexBytes(fileOf(...listed));
    const whole = fileOf(...messages).subarray(0, -16);
    const { header, rest } = footer.endAt(whole.length);
    return concat(whole, header, ...rest);
  }

  it("tell what it lists, once it was compared with what is there", () =>
    inFolder(async (folder) => {
      const path = join(folder, "a.rrd");
      writeFileSync(path, fixture("grpc/0.41.0-three-stores.merged-by-rerun.rrd"));
      assertStringIncludes((await run("verify", path)).stdout, "55 chunks listed, all good");
      assertEquals(JSON.parse((await run("verify", "--json", path)).stdout)[0].chunk_index, 55);
      const cli = (...args: string[]) => runCli(["rrd", ...args]);
      const text = await cli("stats", path);
      assert(
        /; chunk index of [\d.]+ kB lists 55 chunks of 3 stores/.test(text.stdout),
        text.stdout,
      );
      const { chunk_index } = JSON.parse((await cli("stats", "--json", path)).stdout)[0];
      assertEquals([chunk_index.chunks, chunk_index.stores], [55, 3]);
      writeFileSync(path, fixture(SAVED));
      assertEquals(JSON.parse((await cli("stats", "--json", path)).stdout)[0].chunk_index, null);
    }));

  it("take one that lists other chunks for damage", () =>
    inFolder(async (folder) => {
      const path = join(folder, "a.rrd");
      for (
        const [messages, listed, why, code] of [
          [[first, second], [first], "lists 1 of 2 chunks", 0],
          // A new list would hide that a chunk is gone.
          [[first], [first, second], "where none is", 1],
          [[other], [first], "where 0000", 1],
          [[second, first], [first, second], "bytes for chunk", 0],
        ] as const
      ) {
        writeFileSync(path, await mixed([...messages], [...listed]));
        const { code: verified, stderr, stdout } = await run("verify", path);
        assertEquals([verified, stdout], [1, ""]);
        assertStringIncludes(stderr, why);
        assertStringIncludes(stderr, "rrd index renews it");
        assertEquals((await run("index", path)).code, code);
        assertEquals((await run("verify", path)).code, code);
      }
    }));

  it("take several files in one for what they are", () =>
    inFolder(async (folder) => {
      const path = join(folder, "a.rrd");
      const whole = await withFooter(fileOf(first));
      writeFileSync(path, concat(whole, whole));
      const { stdout } = await run("verify", path);
      assertStringIncludes(stdout, "2 chunks listed, all good");
      assertStringIncludes((await run("index", path)).stderr, "behind its end marker");
    }));
});
