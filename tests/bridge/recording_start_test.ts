import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { Bridge, BRIDGED_HEADER } from "../../lib/bridge/mod.ts";
import { recordingStart, withStart } from "../../lib/bridge/recording_start.ts";
import { checkArrowIpc } from "../../lib/encoding/arrow/arrow_check.ts";
import { readSchema } from "../../lib/encoding/arrow/arrow_ipc.ts";
import { ArrowMsg } from "../../lib/encoding/arrow_msg.ts";
import { chunk } from "../../lib/encoding/chunks/chunks.ts";
import type { LogMsg, SetStoreInfo } from "../../lib/encoding/log_msg.ts";
import { decodeProtobufLogMsg } from "../../lib/encoding/protobuf/protobuf_log_msg.ts";
import { BRIDGED, capturedMessages } from "./chunks.ts";

const HEAD_BYTES = 16;

function announcement(name: string): SetStoreInfo {
  const found = capturedMessages(name).find(({ kind }) => kind === "SetStoreInfo");
  assert(found?.kind === "SetStoreInfo");
  return found;
}

function changed(msg: SetStoreInfo, info: Partial<SetStoreInfo["info"]>): SetStoreInfo {
  return { ...msg, info: { ...msg.info, ...info } };
}

function startOf(msg: LogMsg | undefined): ArrowMsg {
  assert(msg instanceof ArrowMsg);
  return msg;
}

describe("when a recording began", () => {
  for (const name of BRIDGED.filter((name) => name.endsWith("-mixed"))) {
    it(`stands behind its announcement, once: ${name}`, () => {
      const old = capturedMessages(name);
      const { items } = new Bridge().push(old);
      assertEquals(items.length, old.length + 1);
      const started = announcement(name).info.started;
      assert(started > 0n);
      const [first, second] = items;
      assertEquals(first!.kind, "SetStoreInfo");
      const { entityPath, components, isStatic } = chunk(startOf(second));
      assertEquals([entityPath, isStatic], ["/__properties/recording", true]);
      assertEquals(
        components.map((each) => [each.name, each.component, each.at(0)]),
        [[
          "RecordingInfo:start_time",
          "rerun.components.Timestamp",
          BigInt64Array.of(started),
        ]],
      );
    });
  }

  it("is a chunk as SDK 0.23 sends it, of which the envelope says the same", () => {
    const msg = announcement("0.22.1-mixed");
    const start = recordingStart(msg, BRIDGED_HEADER)!;
    const { header, bytes } = start.encoded;
    const payload = bytes.subarray(HEAD_BYTES);
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    const [kind, length] = [view.getBigUint64(0, true), view.getBigUint64(8, true)].map(Number);
    assertEquals([kind, length, header], [2, payload.length, BRIDGED_HEADER]);
    const read = startOf(decodeProtobufLogMsg(kind!, payload, "v1alpha1", start.encoded));
    assertEquals([read.storeId.id, read.chunkId, read.isStatic], [
      msg.info.storeId.id,
      start.chunkId,
      true,
    ]);
    assertEquals(checkArrowIpc(read.ipc(), { values: true }), undefined);
    const schema = readSchema(read.ipc());
    assertEquals(schema.chunkId, start.chunkId);
    const tags = schema.fields.map(({ name, metadata }) => [name, Object.fromEntries(metadata)]);
    assertEquals(tags, [
      ["rerun.controls.RowId", {
        "ARROW:extension:name": "rerun.datatypes.TUID",
        "ARROW:extension:metadata": '{"namespace":"row"}',
        "rerun.is_sorted": "true",
        "rerun.kind": "control",
      }],
      ["Timestamp", {
        "rerun.kind": "data",
        "rerun.component": "rerun.components.Timestamp",
        "rerun.archetype": "rerun.archetypes.RecordingProperties",
        "rerun.archetype_field": "start_time",
      }],
    ]);
  });

  it("is told again where a program that logs to the same recording began later", () => {
    const bridge = new Bridge();
    const msg = announcement("0.20.3-mixed");
    const { started } = msg.info;
    const counts = [started, started, started + 1n, started + 1n]
      .map((started) => bridge.messages(changed(msg, { started })).length);
    assertEquals(counts, [2, 1, 2, 1]);
  });

  it("has ids of its own for each recording and time, and always the same", () => {
    const msg = announcement("0.20.3-mixed");
    const id = (info: Partial<SetStoreInfo["info"]>) =>
      `${recordingStart(changed(msg, info), BRIDGED_HEADER)!.chunkId}`;
    const other = { kind: "Recording", id: "other" } as const;
    const ids = [{}, { started: msg.info.started + 1n }, { storeId: other }].map(id);
    assertEquals(new Set(ids).size, 3);
    assertEquals(id({}), ids[0]);
    assertEquals(
      recordingStart(msg, BRIDGED_HEADER)!.encoded.bytes,
      recordingStart(msg, BRIDGED_HEADER)!.encoded.bytes,
    );
  });

  it("is a whole chunk whatever the peer says", () => {
    const msg = announcement("0.18.2-mixed");
    for (const id of ["", "\0", "\ud800", "💥".repeat(1000), "x".repeat(1 << 20)]) {
      for (const started of [1n, 2n ** 63n - 1n]) {
        const storeId = { kind: "Recording", id } as const;
        const start = recordingStart(changed(msg, { storeId, started }), BRIDGED_HEADER)!;
        assertEquals(checkArrowIpc(start.ipc(), { values: true }), undefined);
        assertEquals(chunk(start).components[0]!.at(0), BigInt64Array.of(started));
        assertEquals(readSchema(start.ipc()).chunkId, start.chunkId);
      }
    }
  });

  it("is made of no announcement of a blueprint, none without it, and none of today", () => {
    const bridge = new Bridge();
    const msg = announcement("0.22.1-mixed");
    const blueprint = { kind: "Blueprint", id: "layout" } as const;
    for (const info of [{ storeId: blueprint }, { started: 0n }, { started: -1n }]) {
      assertEquals(bridge.messages(changed(msg, info)).length, 1);
    }
    const today = bridge.bridge(msg);
    assertEquals(bridge.messages(today), [today]);
    assertEquals(withStart(today, today), [today]);
  });
});
