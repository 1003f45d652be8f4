import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { proxyMethod, readFrame, readTable } from "../../../lib/comms/grpc/message_proxy.ts";
import { StoreHeaders } from "../../../lib/comms/grpc/store_headers.ts";
import { WriteMessages } from "../../../lib/comms/grpc/write_messages.ts";
import { RrdDecoder } from "../../../lib/encoding/rrd/rrd_decoder.ts";
import { InvalidMessage } from "../../../lib/base/errors.ts";
import type { LogMsg } from "../../../lib/encoding/log_msg.ts";
import { capturePackets, fixture } from "../../fixtures.ts";
import { concat } from "../../encoding/rrd_builder.ts";
import { callBody, field, framesOf, textField, VERSIONS } from "./frames.ts";

const NEW = "/rerun.sdk_comms.v1alpha1.MessageProxyService/";
const OLD = "/rerun.sdk_comms.v0.MessageProxy/";

function read(dialect: "v0" | "v1alpha1", body: Uint8Array): LogMsg[] {
  const call = new WriteMessages({ dialect, headers: new StoreHeaders() });
  const { items, error = call.finish().error } = call.push(body);
  if (error !== undefined) throw error;
  return items;
}

function captured(name: string): LogMsg[] {
  const decoder = new RrdDecoder();
  return capturePackets(name).flatMap((packet) => decoder.decodePacket(packet).items);
}

describe("methods of the message proxy", () => {
  it("have the names of 0.23 and later, and those of 0.22", () => {
    for (const name of ["WriteMessages", "ReadMessages"] as const) {
      assertEquals(proxyMethod(NEW + name), { name, dialect: "v1alpha1" });
      assertEquals(proxyMethod(OLD + name), { name, dialect: "v0" });
    }
    for (const name of ["WriteTable", "ReadTables"] as const) {
      assertEquals(proxyMethod(NEW + name), { name, dialect: "v1alpha1" });
      assertEquals(proxyMethod(OLD + name), undefined);
    }
  });

  it("are no others", () => {
    for (
      const path of [
        "",
        "/",
        NEW,
        NEW + "readMessages",
        NEW + "ReadMessages/",
        NEW + "ReadMessages/more",
        NEW.slice(1) + "ReadMessages",
        "x" + NEW + "ReadMessages",
        "/proxy" + NEW + "ReadMessages",
        "/__proto__/ReadMessages",
        "/constructor/WriteMessages",
        "/grpc.health.v1.Health/Check",
      ]
    ) assertEquals(proxyMethod(path), undefined, path);
  });
});

describe("what ReadMessages gives", () => {
  for (const version of VERSIONS) {
    it(`of SDK ${version}, is what it sent, to the byte and without a copy`, () => {
      const body = callBody(version);
      const frames = read("v1alpha1", body).map((msg) => {
        const parts = readFrame(msg, "v1alpha1");
        if (typeof parts === "string") throw new Error(parts);
        assert(parts[1]!.buffer === msg.encoded.bytes.buffer);
        return concat(...parts);
      });
      assertEquals(concat(...frames), body);
    });
  }

  it("frames messages of every length", () => {
    const [template] = read("v1alpha1", callBody("0.41.0"));
    const seen = new Set<number>();
    for (const length of [0, 1, 119, 120, 121, 125, 127, 128, 16_381, 16_384, 2_097_150, 300_000]) {
      const bytes = new Uint8Array(16 + length);
      const msg: LogMsg = {
        kind: "UnknownMsg",
        name: "9",
        encoded: { header: template!.encoded.header, bytes },
      };
      const parts = readFrame(msg, "v1alpha1");
      if (typeof parts === "string") throw new Error(parts);
      const whole = concat(...parts);
      const [request] = framesOf(whole);
      assertEquals(whole.length, request!.length + 5);
      const [copy] = read("v1alpha1", whole);
      assertEquals([copy!.kind, copy!.encoded.bytes.length], ["UnknownMsg", 16 + length]);
      seen.add(parts[0]!.length);
    }
    assertEquals([...seen].sort((a, b) => a - b), [9, 10, 11, 12, 13, 14]);
  });

  it("leaves out data of the other generation, and counts on who knows why", () => {
    const [info, , ...chunks] = captured("0.22.1-mixed");
    const [newInfo, , ...newChunks] = read("v1alpha1", callBody("0.41.0"));
    for (const msg of [info!, newInfo!]) {
      for (const dialect of ["v0", "v1alpha1"] as const) {
        const parts = readFrame(msg, dialect);
        if (typeof parts === "string") throw new Error(parts);
        const [copy] = read(dialect, concat(...parts));
        assert(copy?.kind === "SetStoreInfo" && msg.kind === "SetStoreInfo");
        assertEquals(copy.info.storeId.id, msg.info.storeId.id);
        assertEquals(copy.info.applicationId, msg.info.applicationId);
      }
    }
    for (const msg of chunks) {
      assertEquals(readFrame(msg, "v1alpha1"), "other data");
      const parts = readFrame(msg, "v0");
      if (typeof parts === "string") throw new Error(parts);
      const [copy] = read("v0", concat(...parts));
      assert(copy?.kind === "ArrowMsg" && msg.kind === "ArrowMsg");
      assertEquals(copy.arrow.bytes.slice(), msg.arrow.bytes.slice());
    }
    for (const msg of newChunks) assertEquals(readFrame(msg, "v0"), "other data");
    const [, , table] = captured("0.16.1-mixed");
    assertEquals([table!.kind, readFrame(table!, "v0")], ["ArrowMsg", "other data"]);
  });

  it("leaves out kinds that have no number, and those that would look like another", () => {
    const msg = captured("0.9.1-scalars").find(({ kind }) => kind === "UnknownMsg");
    const header = read("v1alpha1", callBody("0.41.0"))[0]!.encoded.header;
    const odd = (name: string): LogMsg => ({
      kind: "UnknownMsg",
      name,
      encoded: { header, bytes: new Uint8Array(20) },
    });
    for (const each of [...(msg ? [msg] : []), odd("16"), odd(`${2 ** 32 + 2}`)]) {
      assertEquals(readFrame(each, "v1alpha1"), "unknown kind");
    }
  });

  it("of a blueprint holds its activation", () => {
    const activation = captured("0.22.1-blueprint").find((msg) =>
      msg.kind === "BlueprintActivationCommand"
    )!;
    const parts = readFrame(activation, "v1alpha1");
    if (typeof parts === "string") throw new Error(parts);
    const [copy] = read("v1alpha1", concat(...parts));
    assert(copy?.kind === "BlueprintActivationCommand");
    assert(activation.kind === "BlueprintActivationCommand");
    assertEquals(
      [copy.blueprintId, copy.makeActive, copy.makeDefault],
      [activation.blueprintId, activation.makeActive, activation.makeDefault],
    );
  });

  it("of what 0.22 saved in protobuf goes to its viewers as it is", () => {
    const { items } = new RrdDecoder().push(fixture("encodings/0.22.1-mixed-protobuf-lz4.rrd"));
    for (const msg of items) {
      const parts = readFrame(msg, "v0");
      if (typeof parts === "string") throw new Error(parts);
      assert(parts[1]!.buffer === msg.encoded.bytes.buffer);
      const [copy] = read("v0", concat(...parts));
      assertEquals(copy!.encoded.bytes.slice(), msg.encoded.bytes.slice());
    }
  });
});

describe("tables", () => {
  const id = field(1, textField(1, "täble"));
  const data = field(2, textField(1000 >> 7, ""));

  it("have a name, and are kept as they came", () => {
    const request = concat(id, data);
    assertEquals(readTable(request), { id: "täble", bytes: request });
  });

  it("without a name, or data, or whole, are refused", () => {
    for (const bytes of [new Uint8Array(), id, data, field(1), concat(id, data).slice(0, -1)]) {
      assertThrows(() => readTable(bytes), InvalidMessage);
    }
  });
});
