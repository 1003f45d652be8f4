import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { ArrowMsg } from "../../lib/encoding/arrow_msg.ts";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import type { StoreId } from "../../lib/encoding/message_parts.ts";
import { decodeRrdHeader } from "../../lib/encoding/rrd_header.ts";
import { storeKey, storeOf, toldApplication } from "../../lib/encoding/store_of.ts";
import { Tuid } from "../../lib/encoding/tuid.ts";

const bytes = new Uint8Array(8);
const header = decodeRrdHeader(Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 22, 1, 0, 0, 2, 0, 0));
const encoded = { header, bytes };
const arrow = { bytes, compression: "off", uncompressedSize: 8 } as const;

/** One message of each kind that has a store. */
function messagesOf(storeId: StoreId): LogMsg[] {
  const info = {
    applicationId: "announced",
    storeId,
    isOfficialExample: false,
    started: 0n,
    storeSource: { kind: "Unknown" },
  } as const;
  return [
    { kind: "SetStoreInfo", rowId: new Tuid(0n, 0n), info, encoded },
    new ArrowMsg(storeId, undefined, [], undefined, arrow, encoded),
    {
      kind: "BlueprintActivationCommand",
      blueprintId: storeId,
      makeActive: true,
      makeDefault: true,
      encoded,
    },
  ];
}

const UNKNOWN: LogMsg = { kind: "UnknownMsg", name: "New", encoded };

describe("storeOf", () => {
  it("gives the store of each kind of message", () => {
    const storeId = { kind: "Blueprint", id: "b" } as const;
    assertEquals(messagesOf(storeId).map(storeOf), [storeId, storeId, storeId]);
    assertEquals(storeOf(UNKNOWN), undefined);
  });
});

describe("storeKey", () => {
  it("tells a recording from a blueprint, whatever their ids are", () => {
    const recording = { kind: "Recording", id: "a" } as const;
    assertEquals(storeKey(recording), storeKey({ ...recording, applicationId: "any" }));
    assert(storeKey(recording) !== storeKey({ kind: "Blueprint", id: "a" }));
    assert(storeKey(recording) !== storeKey({ kind: "Recording", id: "a " }));
  });
});

describe("toldApplication", () => {
  it("is what an announcement says, or the store id of SDK 0.25 and later", () => {
    const old = { kind: "Recording", id: "a" } as const;
    assertEquals(messagesOf(old).map(toldApplication), ["announced", undefined, undefined]);
    const since25 = { ...old, applicationId: "of the id" };
    assertEquals(messagesOf(since25).map(toldApplication), [
      "announced",
      "of the id",
      "of the id",
    ]);
    assertEquals(toldApplication(UNKNOWN), undefined);
  });
});
