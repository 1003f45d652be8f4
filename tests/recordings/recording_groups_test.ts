import { describe, it } from "node:test";
import { assertEquals, assertLess } from "@std/assert";
import { encode } from "@msgpack/msgpack";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import { type Placed, RecordingGroups } from "../../lib/recordings/recording_groups.ts";
import { RepeatedMessages } from "../../lib/recordings/repeated_messages.ts";
import { storeOf } from "../../lib/encoding/store_of.ts";
import {
  concat,
  rrdHeader,
  rrdMessage,
  setStoreInfo,
  storeInfoFields,
} from "../encoding/rrd_builder.ts";
import { staticKey } from "../../lib/encoding/arrow/static_key.ts";
import { fixture } from "../fixtures.ts";
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
    assertEquals(add(activated("b")), []);
    assertEquals(add(announced("Recording", "2", "other")), ["SetStoreInfo in Recording 2"]);
    assertEquals(add(announced("Recording", "3", "app")), [
      "SetStoreInfo in Recording 3",
      "SetStoreInfo in Recording 3",
      "BlueprintActivationCommand in Recording 3",
    ]);
    assertEquals(add(announced("Recording", "1", "app")), [
      "BlueprintActivationCommand in Recording 1",
      "SetStoreInfo in Recording 1",
    ]);
    assertEquals(groups.finish(), []);
  });

  it("keeps what was never announced until it is", () => {
    const groups = new RecordingGroups();
    groups.add(announced("Recording", "1", "app"));
    assertEquals(groups.add(activated("b")), []);
    assertEquals(groups.add(announced("Blueprint", "b", "app")), []);
    assertEquals(shown(groups.finish()), [
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

describe("RecordingGroups of many blueprints", () => {
  /** A program that sends its blueprint, then logs: as SDKs do. */
  function* start(i: number) {
    yield announced("Blueprint", `b${i}`, "app");
    yield activated(`b${i}`);
    yield announced("Recording", `${i}`, "app");
  }

  it("gives each recording its own alone, and what comes last to the last one", () => {
    const groups = new RecordingGroups();
    const all = [0, 1, 2].flatMap((i) => [...start(i)]).flatMap((msg) => groups.add(msg));
    groups.add(announced("Blueprint", "late", "app"));
    const placed = [...all, ...groups.add(activated("late")), ...groups.finish()];
    const names = placed.map(({ msg, store }) => `${storeOf(msg)!.id} in ${store.id}`);
    assertEquals(names, [
      ...["0 in 0", "b0 in 0", "b0 in 0", "1 in 1", "b1 in 1", "b1 in 1"],
      ...["2 in 2", "b2 in 2", "b2 in 2", "late in 2", "late in 2"],
    ]);
  });

  it("gives a recording the one that came behind its announcement", () => {
    const groups = new RecordingGroups();
    const placed = [0, 1].flatMap((i) => {
      const [blueprint, activation, recording] = [...start(i)];
      return [recording!, blueprint!, activation!, recording!];
    }).flatMap((msg) => groups.add(msg));
    const names = placed.map(({ msg, store }) => `${storeOf(msg)!.id} in ${store.id}`);
    assertEquals(names, [
      ...["0 in 0", "b0 in 0", "b0 in 0", "0 in 0"],
      ...["1 in 1", "b0 in 1", "b0 in 1", "b1 in 1", "b1 in 1", "1 in 1"],
    ]);
    assertEquals(groups.finish(), []);
  });

  it("never makes more than three times as much of them, besides what each begins with", () => {
    const groups = new RecordingGroups();
    let [received, written] = [0, 0];
    const add = (msg: LogMsg) => {
      received += msg.encoded.bytes.length;
      for (const placed of groups.add(msg)) written += placed.msg.encoded.bytes.length;
    };
    for (let i = 0; i < 150; i++) for (const msg of start(i)) add(msg);
    // All of them go on after each further blueprint.
    for (let i = 0; i < 20; i++) {
      for (const msg of start(150 + i)) add(msg);
      for (let known = 0; known < 150; known++) add(announced("Recording", `${known}`, "app"));
    }
    for (const { msg } of groups.finish()) written += msg.encoded.bytes.length;
    assertLess(written, 3 * received);
  });

  it("loses none that newer ones replaced before a recording began", () => {
    const groups = new RecordingGroups();
    const messages = [0, 1, 2].flatMap((i) => [...start(i)].slice(0, 2));
    const placed = [...messages, announced("Recording", "1", "app")]
      .flatMap((msg) => groups.add(msg));
    placed.push(...groups.finish());
    assertEquals(shown(placed).sort(), [
      "BlueprintActivationCommand in Blueprint b0",
      "BlueprintActivationCommand in Blueprint b1",
      "BlueprintActivationCommand in Recording 1",
      "SetStoreInfo in Blueprint b0",
      "SetStoreInfo in Blueprint b1",
      "SetStoreInfo in Recording 1",
      "SetStoreInfo in Recording 1",
    ]);
  });
});

describe("RepeatedMessages", () => {
  it("finds as many as an earlier file has, of blueprints alone", async () => {
    const repeated = new RepeatedMessages();
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

  it("finds static data, in tables of old SDKs as well, and no data with a time", async () => {
    const files = ["0.11.0", "0.15.1", "0.16.1"].map((version) =>
      scan([fixture(`tables/${version}-static-row.rrd`)]).parts
    );
    files.push(scan([fixture("encodings/0.22.1-mixed-msgpack-off.rrd")]).parts);
    for (const parts of files) {
      const repeated = new RepeatedMessages();
      const chunks = parts.flatMap((part) =>
        part.kind === "message" && part.msg.kind === "ArrowMsg" ? [part.msg] : []
      );
      for (const msg of chunks) assertEquals(await repeated.has(msg), false);
      repeated.nextFile();
      for (const msg of chunks) {
        assertEquals(await repeated.has(msg), staticKey(msg) !== undefined);
      }
      assertLess(0, repeated.leftOut);
    }
  });
});
