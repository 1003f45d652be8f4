import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { storeOf } from "../../../lib/encoding/store_of.ts";
import { concat } from "../../encoding/rrd_builder.ts";
import { capturePackets } from "../../fixtures.ts";
import { inFolder } from "../cli_process.ts";
import { ENCODINGS, fixturePath, messagesOf, run } from "./run.ts";

const TODAY = fixturePath("grpc/0.41.0-mixed.readback.rrd");

const IDS = ["--recording-id", "new", "--application-id", "app"];

describe("rrd route", { timeout: 60_000 }, () => {
  it("gives messages other ids, and leaves their data as it is", () =>
    inFolder(async (folder) => {
      const stores = fixturePath("grpc/0.41.0-three-stores.merged-by-rerun.rrd");
      for (const [i, input] of [...ENCODINGS, TODAY, stores].entries()) {
        const output = join(folder, `${i}.rrd`);
        const { code, stdout } = await run("route", input, "-o", output, ...IDS, "--json");
        const [before, after] = [messagesOf(input), messagesOf(output)];
        const { messages, dropped_activations, chunk_index } = JSON.parse(stdout);
        assertEquals([code, messages, dropped_activations], [0, before.length, 0]);
        assertEquals(chunk_index !== null, i >= ENCODINGS.length);
        for (const [at, msg] of after.entries()) {
          const old = before[at]!;
          assertEquals(msg.kind, old.kind);
          const [store, oldStore] = [storeOf(msg)!, storeOf(old)!];
          assertEquals([store.kind, store.id], [oldStore.kind, "new"]);
          const named = oldStore.applicationId === undefined ? undefined : "app";
          assertEquals(store.applicationId, named);
          if (msg.kind === "SetStoreInfo" && old.kind === "SetStoreInfo") {
            const { storeId: _, applicationId, ...rest } = msg.info;
            const { storeId: _old, applicationId: _application, ...oldRest } = old.info;
            assertEquals([applicationId, rest, msg.rowId], ["app", oldRest, old.rowId]);
          }
          if (msg.kind !== "ArrowMsg" || old.kind !== "ArrowMsg") continue;
          assertEquals(msg.arrow, old.arrow);
          assertEquals([msg.chunkId, msg.isStatic], [old.chunkId, old.isStatic]);
        }
      }
    }));

  it("changes nothing where no id is given", () =>
    inFolder(async (folder) => {
      const output = join(folder, "same.rrd");
      assertEquals((await run("route", TODAY, "-o", output)).code, 0);
      const bytes = (path: string) => messagesOf(path).map(({ encoded }) => encoded.bytes);
      assertEquals(bytes(output), bytes(TODAY));
    }));

  it("activates no blueprint where several files go into one recording", () =>
    inFolder(async (folder) => {
      const input = fixturePath("grpc/0.41.0-three-stores.merged-by-rerun.rrd");
      const count = messagesOf(input).length;
      const activations = messagesOf(input)
        .filter(({ kind }) => kind === "BlueprintActivationCommand").length;
      const output = join(folder, "both.rrd");
      const { stdout } = await run("route", input, TODAY, "-o", output, ...IDS, "--json");
      const { messages, dropped_activations } = JSON.parse(stdout);
      assert(activations > 0);
      assertEquals(dropped_activations, activations);
      assertEquals(messages, count + messagesOf(TODAY).length - activations);
      const ids = new Set(messagesOf(output).map((msg) => storeOf(msg)!.id));
      assertEquals([...ids], ["new"]);
    }));

  it("takes what SDK 0.9 to 0.22 logged in msgpack, ids of all lengths, compressed or not", () =>
    inFolder(async (folder) => {
      const captures = ["0.9.1-scalars", "0.16.1-blueprint", "0.20.3-mixed", "0.22.1-blueprint"];
      for (const [i, name] of captures.entries()) {
        const input = join(folder, `${i}.rrd`);
        writeFileSync(input, concat(...capturePackets(name)));
        for (const length of [0, 31, 32, 255, 256, 65_536]) {
          const id = "é".repeat(length / 2) + "x".repeat(length % 2);
          const output = join(folder, "new.rrd");
          const ids = ["--recording-id", `r${id}`, "--application-id", `a${id}`];
          const { code, stderr } = await run("route", input, "-o", output, ...ids, "--force");
          assertEquals(code, 0, stderr);
          const [before, after] = [messagesOf(input), messagesOf(output)];
          assertEquals(after.length, before.length);
          for (const [at, msg] of after.entries()) {
            const old = before[at]!;
            assertEquals([msg.kind, storeOf(msg)!.id], [old.kind, `r${id}`]);
            if (msg.kind === "SetStoreInfo") assertEquals(msg.info.applicationId, `a${id}`);
            if (msg.kind !== "ArrowMsg" || old.kind !== "ArrowMsg") continue;
            assertEquals(msg.arrow, old.arrow);
            assertEquals([msg.chunkId, msg.timepointMax], [old.chunkId, old.timepointMax]);
          }
        }
      }
    }));
});
