import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { encode } from "@msgpack/msgpack";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import { type Placed, RecordingGroups } from "../../lib/recordings/recording_groups.ts";
import { RepeatedBlueprints } from "../../lib/recordings/repeated_blueprints.ts";
import {
  concat,
  rrdHeader,
  rrdMessage,
  setStoreInfo,
  storeInfoFields,
} from "../encoding/rrd_builder.ts";
import { scan } from "./inputs.ts";

function decode(message: Uint8Array): LogMsg {
  const [, part] = scan([concat(rrdHeader(), rrdMessage(message))]).parts;
  if (part?.kind !== "message") throw new Error("no message");
  return part.msg;
}

const announced = (kind: string, id: string, application_id: string) =>
  decode(setStoreInfo({ ...storeInfoFields(), store_id: { kind, id }, application_id }));

const activated = (id: string, make_default = true) =>
  decode(
    encode({
      BlueprintActivationCommand: {
        blueprint_id: { kind: "Blueprint", id },
        make_active: true,
        make_default,
      },
    }),
  );

const shown = (placed: Placed[]) =>
  placed.map(({ msg, store }) => `${msg.kind} in ${store.kind} ${store.id}`);

describe("RecordingGroups", () => {
  it("gives each recording the blueprints of its application, whichever comes first", () => {
    const groups = new RecordingGroups();
    const add = (msg: LogMsg) => shown(groups.add(msg));
    assertEquals(add(announced("Blueprint", "b", "app")), []);
    assertEquals(add(announced("Recording", "1", "app")), [
      "SetStoreInfo in Recording 1",
      "SetStoreInfo in Recording 1",
    ]);
    assertEquals(add(activated("b")), ["BlueprintActivationCommand in Recording 1"]);
    assertEquals(add(announced("Recording", "2", "other")), ["SetStoreInfo in Recording 2"]);
    assertEquals(add(announced("Recording", "3", "app")), [
      "SetStoreInfo in Recording 3",
      "SetStoreInfo in Recording 3",
      "BlueprintActivationCommand in Recording 3",
    ]);
    assertEquals(groups.finish(), []);
  });

  it("keeps what was never announced until it is", () => {
    const groups = new RecordingGroups();
    groups.add(announced("Recording", "1", "app"));
    assertEquals(groups.add(activated("b")), []);
    assertEquals(shown(groups.add(announced("Blueprint", "b", "app"))), [
      "BlueprintActivationCommand in Recording 1",
      "SetStoreInfo in Recording 1",
    ]);
  });

  it("leaves blueprints without a recording to themselves", () => {
    const groups = new RecordingGroups();
    groups.add(announced("Recording", "1", "app"));
    groups.add(announced("Blueprint", "b", "other"));
    groups.add(activated("c"));
    assertEquals(shown(groups.finish()), [
      "SetStoreInfo in Blueprint b",
      "BlueprintActivationCommand in Blueprint c",
    ]);
  });
});

describe("RepeatedBlueprints", () => {
  it("finds as many as an earlier file has, of blueprints alone", async () => {
    const repeated = new RepeatedBlueprints();
    const file = async (...msgs: LogMsg[]) => {
      repeated.nextFile();
      const found: boolean[] = [];
      for (const msg of msgs) found.push(await repeated.has(msg));
      return found;
    };
    const recording = announced("Recording", "1", "app");
    assertEquals(await file(activated("b"), activated("b"), recording), [false, false, false]);
    assertEquals(await file(activated("b"), activated("c"), recording), [true, false, false]);
    assertEquals(await file(activated("b"), activated("b"), activated("b")), [true, true, false]);
    assertEquals(repeated.leftOut, 3);
  });
});
