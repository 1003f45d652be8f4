import { encode } from "@msgpack/msgpack";
import { describe, it } from "node:test";
import { assertEquals, assertInstanceOf } from "@std/assert";
import { RrdDecoder } from "../../lib/encoding/rrd/rrd_decoder.ts";
import { InvalidMessage } from "../../lib/base/errors.ts";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import { TIME_STATIC } from "../../lib/encoding/message_parts.ts";
import {
  arrowMsg,
  concat,
  encodeMsgpack,
  Entries,
  rrdHeader,
  rrdMessage,
  setStoreInfo,
  storeInfoFields,
} from "./rrd_builder.ts";

type Version = [number, number, number, number];

function decode(payload: Uint8Array, version: Version = [0, 22, 1, 0]): LogMsg | Error {
  const packet = concat(rrdHeader({ version }), rrdMessage(payload));
  const { items, error } = new RrdDecoder().decodePacket(packet);
  return error ?? items[0]!;
}

function storeInfo(fields: Record<string, unknown>) {
  const msg = decode(setStoreInfo({ ...storeInfoFields(), ...fields }));
  if (msg instanceof Error || msg.kind !== "SetStoreInfo") throw msg;
  return msg.info;
}

const timeline = (
  name: unknown,
  typ: unknown,
  value: unknown,
): [unknown, unknown] => [{ name, typ }, value];

function timepoint(entries: [unknown, unknown][], version?: Version) {
  const msg = decode(arrowMsg(new Entries(entries)), version);
  return msg instanceof Error ? msg.message : msg.kind === "ArrowMsg" ? msg.timepointMax : msg;
}

describe("SetStoreInfo in msgpack", () => {
  it("takes fields by name: missing and extra ones are fine", () => {
    const info = storeInfo({
      cloned_from: undefined,
      store_kind: "Recording",
      something: [1, { a: 2 }],
    });
    assertEquals(info, {
      applicationId: "app",
      storeId: { kind: "Recording", id: "rec" },
      isOfficialExample: false,
      started: 1_700_000_000_000_000_000n,
      storeSource: { kind: "PythonSdk", major: 3, minor: 11, patch: 7, suffix: "" },
      storeVersion: { major: 0, minor: 22, patch: 1, meta: 0 },
    });
    const clonedFrom = { kind: "Blueprint", id: "b" };
    assertEquals(storeInfo({ cloned_from: clonedFrom }).clonedFrom, clonedFrom as never);
  });

  it("knows every store source of 0.9 to 0.22", () => {
    const source = (store_source: unknown) => storeInfo({ store_source }).storeSource as unknown;
    assertEquals(source("Unknown"), { kind: "Unknown" });
    assertEquals(source("CSdk"), { kind: "CSdk" });
    assertEquals(source("Viewer"), { kind: "Viewer" });
    assertEquals(source({ Other: "x" }), { kind: "Other", name: "x" });
    assertEquals(source({ RustSdk: { rustc_version: "1.80", llvm_version: "18" } }), {
      kind: "RustSdk",
      rustcVersion: "1.80",
      llvmVersion: "18",
    });
    for (const name of ["Cli", "Uri", "Sdk", "DragAndDrop", "FileDialog"]) {
      assertEquals(source({ File: { file_source: name } }), { kind: "File", fileSource: name });
      const carrying = { File: { file_source: { [name]: {} } } };
      assertEquals(source(carrying), { kind: "File", fileSource: name });
    }
    // One that a later version might add: nothing hangs on it.
    assertEquals(source({ FutureSdk: { major: 1 } }), { kind: "Unknown" });
  });

  it("refuses what is missing or of another type, and says what", () => {
    const message = (fields: Record<string, unknown>) => {
      const msg = decode(setStoreInfo({ ...storeInfoFields(), ...fields }));
      assertInstanceOf(msg, InvalidMessage);
      return msg.message;
    };
    assertEquals(
      message({ application_id: 5 }),
      "Invalid application_id: text is expected, not number",
    );
    assertEquals(message({ started: "now" }), 'Invalid started: an integer is expected, not "now"');
    assertEquals(message({ store_id: "x" }), 'Invalid store id: a map is expected, not "x"');
    assertEquals(message({ store_id: { kind: "Other" } }), 'Invalid store kind: "Other"');
    assertEquals(
      message({ store_source: { File: { file_source: "X" } } }),
      'Invalid file source: "X"',
    );
  });
});

describe("ArrowMsg in msgpack", () => {
  it("keeps a time point in Rerun's order, with bigint times", () => {
    const entries = [
      timeline("\u{1F916}", "Sequence", 1),
      timeline("\uFF5E", "Sequence", 2),
      timeline("b", "Time", 1_795_337_291_133_282_516n),
      timeline("b", "Sequence", -5),
      timeline("a", "Sequence", 2n ** 63n - 1n),
    ];
    // By UTF-8 bytes U+FF5E comes before U+1F916; by UTF-16 units it would not.
    assertEquals(timepoint(entries) as unknown, [
      { name: "a", type: "sequence", time: 2n ** 63n - 1n },
      { name: "b", type: "time", time: 1_795_337_291_133_282_516n },
      { name: "b", type: "sequence", time: -5n },
      { name: "\uFF5E", type: "sequence", time: 2n },
      { name: "\u{1F916}", type: "sequence", time: 1n },
    ]);
  });

  it("of a repeated timeline the last value stays", () => {
    const entries = [
      timeline("f", "Sequence", 1),
      timeline("a", "Time", 0),
      timeline("f", "Sequence", 2),
    ];
    assertEquals(timepoint(entries) as unknown, [
      { name: "a", type: "time", time: 0n },
      { name: "f", type: "sequence", time: 2n },
    ]);
  });

  it("an empty time point is static, nil is static on that timeline", () => {
    assertEquals(timepoint([]) as unknown, []);
    assertEquals(timepoint([timeline("f", "Sequence", null)]) as unknown, [
      { name: "f", type: "sequence", time: TIME_STATIC },
    ]);
  });

  it("-2^63 is a time before 0.16 and an error from then on", () => {
    const entries = [timeline("f", "Sequence", TIME_STATIC)];
    assertEquals(timepoint(entries, [0, 15, 1, 0]) as unknown, [
      { name: "f", type: "sequence", time: TIME_STATIC },
    ]);
    assertEquals(timepoint(entries, [0, 16, 0, 0]), "Invalid time: -9223372036854775808");
    assertEquals(
      timepoint([timeline("f", "Time", 2n ** 63n)]),
      "Invalid time: 9223372036854775808",
    );
  });

  it("refuses other timelines and shapes", () => {
    assertEquals(
      timepoint([timeline("f", "Ordinal", 1)]),
      `Invalid timeline: name "f", type "Ordinal"`,
    );
    const message = (value: unknown) => {
      const msg = decode(encodeMsgpack(value));
      return msg instanceof InvalidMessage ? msg.message : msg;
    };
    assertEquals(message({ ArrowMsg: [1, 2, 3] }), "Invalid ArrowMsg: 3 fields instead of 2");
    assertEquals(
      message({ ArrowMsg: [{ kind: "Recording", id: "r" }, [1, 2]] }),
      "Invalid ArrowMsg: data in 2 parts instead of 3",
    );
    assertEquals(
      message({ ArrowMsg: [{ id: "r" }, []] }),
      `Invalid store id: kind nothing, id "r"`,
    );
    assertEquals(message({ a: 1, b: 2 }), "Invalid log message: a map of 2 entries instead of one");
    assertEquals(
      message({ ArrowMsg: [{ kind: "Recording", id: "r" }, [{ time_ns: -1, inc: 1 }, 2, 3]] }),
      "Invalid Tuid: time_ns -1, inc 1",
    );
  });

  it("gives the chunk id, the opaque data and both ids as hex text", () => {
    const msg = decode(arrowMsg(new Entries([]), { data: 3 }));
    if (msg instanceof Error || msg.kind !== "ArrowMsg") throw msg;
    assertEquals(String(msg.chunkId), "00000000000000030000000000000004");
    assertEquals(JSON.stringify(msg.chunkId), '"00000000000000030000000000000004"');
    assertEquals(msg.arrow, {
      bytes: Uint8Array.of(7, 7, 7),
      compression: "off",
      uncompressedSize: 3,
    });
    assertEquals(msg.arrow.bytes.buffer === msg.encoded.bytes.buffer, true);
  });
});

describe("BlueprintActivationCommand in msgpack", () => {
  it("names the blueprint and what to do with it", () => {
    const blueprint_id = { kind: "Blueprint", id: "b1" };
    const command = { blueprint_id, make_active: true, make_default: false };
    const msg = decode(encode({ BlueprintActivationCommand: command }));
    if (msg instanceof Error || msg.kind !== "BlueprintActivationCommand") throw msg;
    assertEquals(msg.blueprintId, { kind: "Blueprint", id: "b1" });
    assertEquals([msg.makeActive, msg.makeDefault], [true, false]);
  });
});
