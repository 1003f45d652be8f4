import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import type { StoreId } from "../../lib/encoding/message_parts.ts";
import { decodeRrdHeader } from "../../lib/encoding/rrd_header.ts";
import { Tuid } from "../../lib/encoding/tuid.ts";
import { Applications } from "../../lib/stores/applications.ts";

const header = decodeRrdHeader(Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 22, 1, 0, 0, 2, 0, 0));
const encoded = { header, bytes: new Uint8Array(8) };

function announcement(storeId: StoreId, applicationId: string): LogMsg {
  const info = {
    applicationId,
    storeId,
    isOfficialExample: false,
    started: 0n,
    storeSource: { kind: "Unknown" },
  } as const;
  return { kind: "SetStoreInfo", rowId: new Tuid(0n, 0n), info, encoded };
}

describe("Applications", () => {
  const recording = { kind: "Recording", id: "a" } as const;

  it("know what was announced last, of recordings and of blueprints with the same id", () => {
    const applications = new Applications();
    assertEquals(applications.of(recording), undefined);
    applications.note(announcement(recording, "first"));
    applications.note(announcement({ kind: "Blueprint", id: "a" }, "layout"));
    applications.note(announcement(recording, "last"));
    applications.note({ kind: "UnknownMsg", name: "New", encoded });
    assertEquals(applications.of(recording), "last");
    assertEquals(applications.of({ kind: "Blueprint", id: "a" }), "layout");
    assertEquals(applications.of({ ...recording, applicationId: "of the id" }), "last");
    assertEquals(applications.size, 2);
  });

  it("take the word of an id where nothing was announced", () => {
    assertEquals(new Applications().of({ ...recording, applicationId: "of the id" }), "of the id");
  });

  it("are bounded in number and in length", () => {
    const applications = new Applications();
    const long = { kind: "Recording", id: "x".repeat(1 << 20) } as const;
    applications.note(announcement(long, "y".repeat(1 << 20)));
    assertEquals(applications.of(long)?.length, 1024);
    for (let i = 0; i < 10_000; i++) {
      applications.note(announcement({ kind: "Recording", id: String(i) }, "app"));
    }
    assert(applications.size <= 10_000, String(applications.size));
    assertEquals(applications.of(long), undefined);
    assertEquals(applications.of({ kind: "Recording", id: "9999" }), "app");
  });
});
