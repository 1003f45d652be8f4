import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Chunk, chunks } from "../../../lib/encoding/mod.ts";
import { concat } from "../../encoding/rrd_builder.ts";
import { capturePackets } from "../../fixtures.ts";
import { inFolder } from "../cli_process.ts";
import { ENCODINGS, fixturePath, messagesOf, run } from "./run.ts";

const filter = (...args: string[]) => run("filter", ...args);

const TODAY = fixturePath("grpc/0.41.0-mixed.readback.rrd");

/** The bytes of messages but chunks that are not to stay. */
function expected(path: string, stays: (chunk: Chunk) => boolean) {
  return messagesOf(path)
    .filter((msg) => msg.kind !== "ArrowMsg" || chunks(msg).some(stays))
    .map(({ encoded }) => encoded.bytes);
}

describe("rrd filter", { timeout: 60_000 }, () => {
  it("leaves out entities in all encodings, and keeps the rest byte for byte", () =>
    inFolder(async (folder) => {
      for (const [i, input] of [...ENCODINGS, TODAY].entries()) {
        const output = join(folder, `${i}.rrd`);
        const args = ["--drop-entity", "/cam/image", "--drop-entity=plots/sin"];
        const { code, stdout } = await filter(input, "-o", output, ...args, "--json");
        const kept = expected(
          input,
          (chunk) => !/^\/(cam\/image|plots\/sin)$/.test(chunk.entityPath),
        );
        assertEquals(messagesOf(output).map(({ encoded }) => encoded.bytes), kept);
        const { messages, dropped_messages, chunk_index } = JSON.parse(stdout);
        assertEquals([code, messages], [0, kept.length]);
        assertEquals(messages + dropped_messages, messagesOf(input).length);
        assert(dropped_messages > 0);
        assertEquals(chunk_index !== null, input === TODAY);
      }
    }));

  it("keeps chunks with a row in a range of times, and those without the timeline", () =>
    inFolder(async (folder) => {
      for (const [i, input] of [ENCODINGS[0]!, TODAY].entries()) {
        const output = join(folder, `${i}.rrd`);
        assertEquals((await filter(input, "-o", output, "--time-range", "frame=..3")).code, 0);
        const kept = expected(input, ({ timelines }) => {
          const frame = timelines.find(({ name }) => name === "frame");
          return frame === undefined || frame.times.some((time) => time <= 3n);
        });
        assertEquals(messagesOf(output).map(({ encoded }) => encoded.bytes), kept);
      }
    }));

  it("keeps one recording, or one application", () =>
    inFolder(async (folder) => {
      const input = fixturePath("grpc/0.41.0-three-stores.merged-by-rerun.rrd");
      const all = messagesOf(input);
      const announced = all.flatMap((msg) => msg.kind === "SetStoreInfo" ? [msg.info] : []);
      const { storeId, applicationId } = announced.find(({ storeId }) =>
        storeId.kind === "Recording"
      )!;
      const one = join(folder, "one.rrd");
      assertEquals((await filter(input, "-o", one, "--recording-id", storeId.id)).code, 0);
      const ids = new Set(
        messagesOf(one).flatMap((msg) =>
          msg.kind === "ArrowMsg" && msg.storeId.kind === "Recording" ? [msg.storeId.id] : []
        ),
      );
      assertEquals([...ids], [storeId.id]);
      const whole = join(folder, "app.rrd");
      assertEquals((await filter(input, "-o", whole, "--application-id", applicationId)).code, 0);
      for (const msg of messagesOf(whole)) {
        if (msg.kind === "SetStoreInfo") assertEquals(msg.info.applicationId, applicationId);
      }
      const none = join(folder, "none.rrd");
      const { stderr } = await filter(input, "-o", none, "--application-id", "nobody's");
      assertStringIncludes(stderr, `none.rrd: 0 messages written, ${all.length} left out`);
    }));

  it("takes timelines out of chunks, and keeps rows, other columns and compression", () =>
    inFolder(async (folder) => {
      const stores = fixturePath("grpc/0.41.0-three-stores.merged-by-rerun.rrd");
      for (const input of [...ENCODINGS.slice(2), TODAY, stores]) {
        const output = join(folder, "out.rrd");
        for (const drop of [["frame"], ["log_time", "log_tick", "frame"], ["nobody's"]]) {
          const args = drop.flatMap((name) => ["--drop-timeline", name]);
          const { code, stdout } = await filter(input, "-o", output, "-f", ...args, "--json");
          const [before, after] = [messagesOf(input), messagesOf(output)];
          assertEquals([code, after.length], [0, before.length]);
          let [changed, becameStatic] = [0, 0];
          for (const [i, old] of before.entries()) {
            const msg = after[i]!;
            if (old.kind !== "ArrowMsg" || msg.kind !== "ArrowMsg") {
              assertEquals(msg, old);
              continue;
            }
            const [[was], [is]] = [chunks(old), chunks(msg)];
            const stay = was!.timelines.filter(({ name }) => !drop.includes(name));
            assertEquals(is!.timelines, stay);
            assertEquals([is!.entityPath, is!.rowCount], [was!.entityPath, was!.rowCount]);
            assertEquals([msg.chunkId, msg.storeId], [old.chunkId, old.storeId]);
            assertEquals(msg.arrow.compression, old.arrow.compression);
            if (stay.length === was!.timelines.length) assertEquals(msg, old);
            else {
              changed++;
              if (stay.length === 0) becameStatic++;
              if (old.isStatic !== undefined) assertEquals(msg.isStatic, stay.length === 0);
            }
          }
          const told = JSON.parse(stdout);
          assertEquals([told.changed_chunks, told.static_chunks], [changed, becameStatic]);
          assertEquals(changed > 0, !drop.includes("nobody's"));
          // What is static by now is another thing than what had a time.
          if (becameStatic > 0) continue;
          const ignored = drop.flatMap((name) => ["--ignore-timeline", name]);
          assertEquals((await run("compare", input, output, ...ignored)).code, 0);
          if (input === TODAY) assertEquals((await run("verify", "--strict", output)).code, 0);
        }
      }
    }));

  it("takes no timelines out of msgpack, and says what to do", () =>
    inFolder(async (folder) => {
      const output = join(folder, "out.rrd");
      const args = ["-o", output, "--drop-timeline", "frame"];
      const { code, stderr } = await filter(ENCODINGS[0]!, ...args);
      assertEquals(code, 1);
      assertStringIncludes(stderr, "rrd migrate");
      assertEquals(readdirSync(folder), []);
    }));

  it("refuses tables of which a part would have to go, and leaves nothing behind", () =>
    inFolder(async (folder) => {
      const [input, output] = [join(folder, "old.rrd"), join(folder, "new.rrd")];
      writeFileSync(input, concat(...capturePackets("0.16.1-mixed")));
      const { code, stderr } = await filter(input, "-o", output, "--drop-entity", "/cam/image");
      assertEquals(code, 1);
      assertStringIncludes(stderr, "old.rrd: it is of SDK 0.16.1, which logs tables");
      assertEquals(readdirSync(folder), ["old.rrd"]);
    }));

  it("refuses ranges that are none", async () => {
    for (const range of ["frame", "frame=1", "frame=3..1", "=1..2", "frame=a..b"]) {
      const { code, stderr } = await filter("a.rrd", "--time-range", range);
      assertEquals(code, 2);
      assertStringIncludes(stderr, `--time-range ${range}: expected a timeline`);
    }
  });
});
