import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { Bridge, BRIDGED_HEADER, BridgeStream } from "../../lib/bridge/mod.ts";
import { checkArrowIpc } from "../../lib/encoding/arrow/arrow_check.ts";
import { readSchema } from "../../lib/encoding/arrow/arrow_ipc.ts";
import { ArrowMsg } from "../../lib/encoding/arrow_msg.ts";
import { timepointOf } from "../../lib/encoding/arrow/arrow_timepoint.ts";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import { decodeProtobufLogMsg } from "../../lib/encoding/protobuf/protobuf_log_msg.ts";
import { expectedCapture } from "../fixtures.ts";
import { BRIDGED, capturedMessages, chunk, chunkOf, column, REST, tagsOf } from "./chunks.ts";

const HEAD_BYTES = 16;
/** Images of 0.17, whose data is described anew. */
const TENSORS = "rerun.components.TensorData";

/** What stands behind the schema message. */
function behindSchema(ipc: Uint8Array): Uint8Array {
  return ipc.subarray(8 + new DataView(ipc.buffer, ipc.byteOffset).getUint32(4, true));
}

function arrowOf(msg: LogMsg): ArrowMsg {
  assert(msg instanceof ArrowMsg);
  return msg;
}

/** As a reader of today's form reads the bytes. */
function decoded(msg: LogMsg): LogMsg {
  const { bytes, header } = msg.encoded;
  assertEquals(header, BRIDGED_HEADER);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  assertEquals(Number(view.getBigUint64(8, true)), bytes.length - HEAD_BYTES);
  const payload = bytes.subarray(HEAD_BYTES);
  return decodeProtobufLogMsg(Number(view.getBigUint64(0, true)), payload, "v1alpha1", msg.encoded);
}

describe("captures of real SDKs", () => {
  for (const name of BRIDGED) {
    it(`${name}: all is bridged, and what was logged is there byte for byte`, async () => {
      const bridge = new Bridge();
      const old = capturedMessages(name);
      const rows = expectedCapture(name).packets.flatMap(({ messages }) => messages);
      for (const [i, msg] of old.entries()) {
        const bridged = bridge.bridge(msg);
        const read = decoded(bridged);
        assertEquals(read.kind, msg.kind);
        if (msg.kind !== "ArrowMsg") continue;
        const [before, after] = [msg.ipc(), arrowOf(read).ipc()];
        const [was, is] = [readSchema(before), readSchema(after)];
        const isRecast = /^0\.17/.test(name) && was.fields.some(({ name }) => name === TENSORS);
        if (!isRecast) assertEquals(behindSchema(after), behindSchema(before));
        assertEquals(arrowOf(bridged).ipc(), after);
        assertEquals(checkArrowIpc(after, { values: true }), undefined);
        // Its own id: SDK 0.17 gave the envelope that of its table.
        assertEquals(arrowOf(read).chunkId, readSchema(before).chunkId);
        assertEquals(arrowOf(read).isStatic, msg.timepointMax!.length === 0);
        assertEquals(timepointOf(arrowOf(read)), msg.timepointMax);
        const table = await arrowOf(read).table();
        assertEquals(table.numRows, rows[i]!["rows"]);
        if (!isRecast) {
          assertEquals(
            is.fields.map(({ type }) => type),
            was.fields.map(({ type }) => type),
          );
        }
        const metadata = Object.fromEntries(was.metadata);
        assertEquals(Object.fromEntries(is.metadata), { ...metadata, "rerun.version": "1" });
      }
      const { untagged, ...counts } = bridge.counts;
      const all = { bridged: old.length, already: 0, tables: 0, damaged: 0, unknown: 0 };
      assertEquals(counts, all);
      assertEquals([...untagged], []);
    });
  }

  const MIXED = [
    "Clear is_recursive ClearIsRecursive",
    "Image buffer ImageBuffer",
    "Image format ImageFormat",
    "Points3D colors Color",
    "Points3D positions Position3D",
    "Points3D radii Radius",
    "Scalar scalar Scalar",
    "TextDocument media_type MediaType",
    "TextDocument text Text",
    "TextLog level TextLogLevel",
    "TextLog text Text",
    "ViewCoordinates xyz ViewCoordinates",
  ];

  for (const name of BRIDGED.filter((name) => name.endsWith("-mixed"))) {
    it(`${name}: columns have their archetypes and fields`, () => {
      const bridge = new Bridge();
      const found = capturedMessages(name).map((msg) => bridge.bridge(msg))
        .filter((msg) => msg.kind === "ArrowMsg")
        .flatMap((msg) => Object.values(tagsOf(msg))).filter((text) => !text.startsWith("-"));
      assertEquals([...new Set(found)].sort(), MIXED);
    });
  }

  it("pass a stream as they pass the step", async () => {
    const old = capturedMessages("0.20.3-mixed");
    const stream = new BridgeStream();
    const source = new ReadableStream<LogMsg[]>({
      start(controller) {
        for (const msg of old) controller.enqueue([msg]);
        controller.close();
      },
    });
    const bridged = (await Array.fromAsync(source.pipeThrough(stream))).flat();
    assertEquals(bridged, new Bridge().push(old).items);
    assertEquals(stream.counts.bridged, old.length);
  });
});

describe("names of components alone", () => {
  const names = (columns: string[], minor = 20) =>
    tagsOf(
      new Bridge().bridge(chunk(columns.map((name) => `rerun.components.${name}`), { minor })),
    );

  it("are told apart by the indicator of their chunk", () => {
    assertEquals(names(["Color", "Position3D", "Points3DIndicator"]), {
      Color: "Points3D colors Color",
      Position3D: "Points3D positions Position3D",
      Points3DIndicator: "- - Points3DIndicator",
    });
    assertEquals(
      names(["Color", "Position3D", "Mesh3DIndicator"])["Position3D"],
      "Mesh3D vertex_positions Position3D",
    );
  });

  it("of several archetypes in one chunk go to the one that is none without them", () => {
    const found = names([
      ...["Color", "HalfSize3D", "Points3DIndicator", "Position3D"],
      ...["Boxes3DIndicator", "Radius", "KeypointId"],
    ]);
    assertEquals(found["Position3D"], "Points3D positions Position3D");
    assertEquals(found["HalfSize3D"], "Boxes3D half_sizes HalfSize3D");
    assertEquals(found["KeypointId"], "Points3D keypoint_ids KeypointId");
    // Both share it: more of its kin are there.
    assertEquals(found["Color"], "Points3D colors Color");
  });

  it("are asked for in other chunks of the entity, whenever these came", () => {
    const bridge = new Bridge();
    const colors = (id: number, path: string) =>
      tagsOf(bridge.bridge(chunk(["rerun.components.Color"], { id, path })))["Color"];
    assertEquals(colors(1, "/points"), "- - Color");
    bridge.bridge(chunk(["rerun.components.Points3DIndicator"], { id: 2 }));
    assertEquals(colors(3, "/points"), "Points3D colors Color");
    assertEquals(colors(4, "/others"), "- - Color");
    assertEquals([...bridge.counts.untagged], [["rerun.components.Color", 2]]);
  });

  it("of another store's entity say nothing", () => {
    const bridge = new Bridge();
    bridge.bridge(chunk(["rerun.components.Points3DIndicator"], { store: "a" }));
    const colors = chunk(["rerun.components.Color"], { store: "b" });
    assertEquals(tagsOf(bridge.bridge(colors))["Color"], "- - Color");
  });

  it("that one archetype alone has need no indicator", () => {
    assertEquals(names(["Scalar"])["Scalar"], "Scalar scalar Scalar");
    assertEquals(names(["Text"])["Text"], "- - Text");
  });

  it("are today's, where they were others in that version", () => {
    assertEquals(
      names(["HalfSize3D", "Position3D", "Boxes3DIndicator"], 17)["Position3D"],
      "Boxes3D centers PoseTranslation3D",
    );
    const old = chunk(
      ["SpaceViewClass", "SpaceViewOrigin", "Visible", "SpaceViewBlueprintIndicator"]
        .map((name) => `rerun.blueprint.components.${name}`),
      { minor: 20 },
    );
    assertEquals(tagsOf(new Bridge().bridge(old)), {
      "blueprint.SpaceViewClass": "blueprint.ViewBlueprint class_identifier blueprint.ViewClass",
      "blueprint.SpaceViewOrigin": "blueprint.ViewBlueprint space_origin blueprint.ViewOrigin",
      "blueprint.Visible": "blueprint.ViewBlueprint visible Visible",
      "blueprint.SpaceViewBlueprintIndicator": "- - blueprint.SpaceViewBlueprintIndicator",
    });
  });

  it("whose data is laid out otherwise today are not said to be the same", () => {
    assertEquals(names(["TensorData", "TensorIndicator"], 21)["TensorData"], "- - TensorData");
    // SDK 0.22 says of each archetype's columns which one it is.
    const indicator = column("rerun.components.TensorIndicator", {
      "rerun.archetype_name": "rerun.archetypes.Tensor",
    });
    const last = chunk(["rerun.components.TensorData", indicator], { minor: 22 });
    assertEquals(tagsOf(new Bridge().bridge(last))["TensorData"], "Tensor data TensorData");
    assertEquals(
      names(["Transform3D", "Transform3DIndicator"], 17)["Transform3D"],
      "- - Transform3D",
    );
  });

  it("of users stay as they are, and are not counted", () => {
    const bridge = new Bridge();
    const msg = chunk(["confidence", "rerun.components.Points3DIndicator", "my.PointIndicator"]);
    const tags = tagsOf(bridge.bridge(msg));
    assertEquals([tags["confidence"], tags["my.PointIndicator"]], [
      "- - confidence",
      "- - my.PointIndicator",
    ]);
    assertEquals(bridge.counts.untagged.size, 0);
  });

  it("that have tags keep what these say", () => {
    const tags = {
      "rerun.archetype_name": "rerun.archetypes.Boxes3D",
      "rerun.archetype_field_name": "colors",
    };
    const msg = chunk(
      [column("rerun.components.Color", tags), "rerun.components.Points3DIndicator"],
      { minor: 22 },
    );
    assertEquals(tagsOf(new Bridge().bridge(msg))["Color"], "Boxes3D colors Color");
    const bare = { "rerun.archetype_field_name": "speed" };
    const any = chunk([column("my.Speed", bare)], { minor: 22 });
    assertEquals(tagsOf(new Bridge().bridge(any))["my.Speed"], "- speed my.Speed");
  });
});

describe("what differs in every message", () => {
  it("is carried over, whether the schema was seen before or not", () => {
    const bridge = new Bridge();
    for (const [id, size] of [[1, 100], [2, 101], [0xabcdef, 99], [3, 12345]] as const) {
      const msg = arrowOf(bridge.bridge(chunk(["rerun.components.Scalar"], { id, size })));
      const { metadata, entityPath } = readSchema(msg.ipc());
      assertEquals(metadata.get("rerun.id"), id.toString(16).toUpperCase().padStart(32, "0"));
      assertEquals(metadata.get("rerun.heap_size_bytes"), String(size));
      assertEquals(entityPath, "/points");
      assertEquals(behindSchema(msg.ipc()), REST);
    }
  });

  it("is told apart from what makes another chunk", () => {
    const bridge = new Bridge();
    const paths = ["/a", "/b", "/ü", "/longer", "/a"];
    const found = paths.map((path) =>
      readSchema(arrowOf(bridge.bridge(chunk(["rerun.components.Scalar"], { path }))).ipc())
        .entityPath
    );
    assertEquals(found, paths);
  });
});

describe("what has no form of today", () => {
  it("of 0.16 and before is left as it came, and counted", () => {
    const bridge = new Bridge();
    const old = capturedMessages("0.16.1-mixed");
    for (const msg of old) assert(bridge.bridge(msg) === msg);
    assertEquals([bridge.counts.tables, bridge.counts.bridged], [old.length, 0]);
  });

  it("and what has it already, is left as it came", () => {
    const [bridge, again] = [new Bridge(), new Bridge()];
    for (const msg of capturedMessages("0.22.1-mixed")) {
      const bridged = bridge.bridge(msg);
      assert(again.bridge(bridged) === bridged);
    }
    assertEquals(again.counts.already, bridge.counts.bridged);
  });

  it("because its schema is damaged keeps its data, in an envelope of today", () => {
    const bridge = new Bridge();
    for (const ipc of [new Uint8Array(0), REST, chunk(["a"]).ipc().subarray(0, 40)]) {
      const msg = decoded(bridge.bridge(chunkOf(ipc)));
      assertEquals(arrowOf(msg).ipc(), ipc);
    }
    const noChunk = chunk(["a"], { tags: { "rerun.id": "1" } });
    assertEquals(arrowOf(bridge.bridge(noChunk)).ipc(), noChunk.ipc());
    assertEquals([bridge.counts.damaged, bridge.counts.bridged], [4, 0]);
  });

  it("or whose kind is unknown, is left as it came", () => {
    const bridge = new Bridge();
    const msg: LogMsg = { kind: "UnknownMsg", name: "New", encoded: chunk(["a"]).encoded };
    assert(bridge.bridge(msg) === msg);
    assertEquals(bridge.counts.unknown, 1);
  });
});
