import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { Announced } from "../../lib/encoding/announced.ts";
import { RrdDecoder } from "../../lib/encoding/rrd/rrd_decoder.ts";
import { readRrd } from "../../lib/recordings/mod.ts";
import { capturePackets, fixture } from "../fixtures.ts";
import { recorded } from "./chunks/recorded.ts";

describe("the application of a message", () => {
  it("is that of its store's announcement, whichever way it came", async () => {
    const packets = capturePackets("0.22.1-blueprint");
    const decoder = new RrdDecoder();
    const messages = packets.flatMap((packet) => decoder.decodePacket(packet).items);
    const known = messages.map(({ kind, applicationId }) => [kind, applicationId]);
    assert(known.some(([kind]) => kind === "BlueprintActivationCommand"));
    for (const [kind, application] of known) {
      assertEquals(application, "rerun_example_capture", `${kind}`);
    }
    const file = fixture("encodings/0.22.1-mixed-protobuf-lz4.rrd");
    const read = await Array.fromAsync(readRrd(new Blob([file]).stream()).messages);
    assert(read.every(({ msg }) => msg.applicationId === "rerun_example_capture"));
    const pushed = new RrdDecoder().push(file).items;
    assert(pushed.every(({ applicationId }) => applicationId === "rerun_example_capture"));
  });

  it("is what the message says itself, since 0.25", () => {
    for (const msg of recorded("0.41.0-mixed")) {
      if (msg.kind === "ArrowMsg") assertEquals(msg.applicationId, msg.storeId.applicationId);
    }
  });

  it("is not known before it is announced, and that of another store never", () => {
    const announced = new Announced();
    const [info, ...rest] = recorded("0.22.1-mixed");
    assert(info?.kind === "SetStoreInfo");
    const other = {
      ...info,
      info: { ...info.info, storeId: { kind: "Recording", id: "b" } },
    } as const;
    announced.tell([other]);
    const first = rest.find(({ kind }) => kind === "ArrowMsg")!;
    announced.tell([first]);
    // The decoder of each packet alone knows nothing either.
    const alone = new RrdDecoder().decodePacket(capturePackets("0.22.1-mixed")[3]!).items[0]!;
    assertEquals(alone.applicationId, undefined);
    announced.tell([info, alone]);
    assertEquals(alone.applicationId, "rerun_example_capture");
  });
});
