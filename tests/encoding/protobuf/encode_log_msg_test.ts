import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import {
  encodeLogMsg,
  protobufHeader,
  writeHead,
} from "../../../lib/encoding/protobuf/encode_log_msg.ts";
import { RrdDecoder } from "../../../lib/encoding/rrd/rrd_decoder.ts";
import { rrdVersionText } from "../../../lib/encoding/rrd_header.ts";
import type { LogMsg } from "../../../lib/encoding/log_msg.ts";
import type { StoreSource } from "../../../lib/encoding/message_parts.ts";
import { capturePackets, CAPTURES, describeMsg, fixture } from "../../fixtures.ts";
import { grpcMessages } from "../../grpc_frames.ts";
import { concat } from "../rrd_builder.ts";

const HEADERS = {
  v0: protobufHeader({ major: 0, minor: 22, patch: 1, meta: 0 }),
  v1alpha1: protobufHeader({ major: 0, minor: 23, patch: 4, meta: 0 }),
};

function captured(name: string): LogMsg[] {
  const decoder = new RrdDecoder();
  return capturePackets(name).flatMap((packet) => decoder.decodePacket(packet).items);
}

/** What a decoder makes of what the encoder made. */
function again(msg: LogMsg, dialect: "v0" | "v1alpha1"): LogMsg {
  const bytes = encodeLogMsg(msg, dialect);
  if (bytes === undefined) throw new Error(msg.kind);
  const { items, error } = new RrdDecoder().push(concat(HEADERS[dialect].bytes, bytes));
  if (error !== undefined) throw error;
  assertEquals(items.length, 1);
  return items[0]!;
}

/** Without what the form does not hold. */
function described(msg: LogMsg, dialect: "v0" | "v1alpha1"): Record<string, unknown> {
  const { timepoint_max: _, store_id, blueprint_id, ...rest } = describeMsg(msg);
  const { kind, id } = (store_id ?? blueprint_id) as { kind: string; id: string };
  const all: Record<string, unknown> = { ...rest, kind, id };
  const lost = dialect === "v0" ? ["chunk_id"] : ["started_ns", "is_official_example"];
  for (const name of lost) delete all[name];
  return all;
}

describe("log messages in protobuf", () => {
  for (const dialect of ["v0", "v1alpha1"] as const) {
    it(`${dialect}: decode to what the old SDKs had said`, () => {
      const kinds = new Set<string>();
      for (const name of CAPTURES) {
        for (const msg of captured(name)) {
          if (msg.kind === "UnknownMsg") {
            assertEquals(encodeLogMsg(msg, dialect), undefined);
            continue;
          }
          kinds.add(msg.kind);
          const copy = again(msg, dialect);
          assertEquals(described(copy, dialect), described(msg, dialect), name);
          if (msg.kind === "ArrowMsg" && copy.kind === "ArrowMsg" && dialect === "v1alpha1") {
            assertEquals(copy.isStatic, msg.timepointMax!.length === 0);
            assertEquals(copy.chunkId, msg.chunkId);
          }
          if (msg.kind === "SetStoreInfo" && copy.kind === "SetStoreInfo") {
            const { applicationId } = copy.info.storeId;
            assertEquals(applicationId, dialect === "v0" ? undefined : msg.info.applicationId);
          }
        }
      }
      assertEquals([...kinds].sort(), ["ArrowMsg", "BlueprintActivationCommand", "SetStoreInfo"]);
    });
  }

  it("v0: are what the real encoder of 0.22.1 wrote, to the byte", () => {
    const real = new RrdDecoder().push(fixture("encodings/0.22.1-mixed-protobuf-off.rrd")).items;
    const msgpack = new RrdDecoder().push(fixture("encodings/0.22.1-mixed-msgpack-off.rrd")).items;
    assertEquals(msgpack.length, real.length);
    for (const [i, msg] of msgpack.entries()) {
      assertEquals(encodeLogMsg(msg, "v0"), real[i]!.encoded.bytes, `${i}`);
    }
  });

  it("v1alpha1: go through as they came", () => {
    for (const version of ["0.23.4", "0.36.2", "0.41.0"]) {
      for (const msg of grpcMessages(`${version}-mixed`)) {
        assert(encodeLogMsg(msg, "v1alpha1") === msg.encoded.bytes);
      }
    }
  });

  it("keep what made a recording, and its SDK's version", () => {
    const [msg] = captured("0.22.1-mixed");
    if (msg?.kind !== "SetStoreInfo") throw new Error("no store info");
    const sources: StoreSource[] = [
      { kind: "Unknown" },
      { kind: "CSdk" },
      { kind: "Viewer" },
      { kind: "PythonSdk", major: 3, minor: 11, patch: 7, suffix: "rc1" },
      { kind: "RustSdk", rustcVersion: "1.81.0", llvmVersion: "18" },
      { kind: "Other", name: "ünd" },
      ...(["Cli", "Uri", "DragAndDrop", "FileDialog", "Sdk"] as const).map((fileSource) => (
        { kind: "File", fileSource } as const
      )),
    ];
    for (const storeSource of sources) {
      const storeVersion = { major: 0, minor: 255, patch: 128, meta: 0xc1 };
      const changed = { ...msg, info: { ...msg.info, storeSource, storeVersion } };
      const copy = again(changed, "v1alpha1");
      if (copy.kind !== "SetStoreInfo") throw new Error(copy.kind);
      assertEquals(copy.info.storeSource, storeSource);
    }
  });

  it("have a header as Rerun's files have it, and a length of 64 bits", () => {
    assertEquals(
      HEADERS.v1alpha1.bytes,
      fixture("grpc/0.41.0.saved-by-rerun.rrd").slice(0, 12)
        .map((byte, i) => [, , , , 0, 23, 4][i] ?? byte),
    );
    assertEquals(rrdVersionText(HEADERS.v1alpha1.version), "0.23.4");
    const head = new Uint8Array(17).fill(9);
    writeHead(head, 1, 2, 0x1_02_03_04_05);
    assertEquals(head, Uint8Array.of(9, 2, 0, 0, 0, 0, 0, 0, 0, 5, 4, 3, 2, 1, 0, 0, 0));
  });
});
