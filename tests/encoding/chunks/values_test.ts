import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  byEntity,
  type Chunk,
  chunks,
  type DecodedImage,
  imageOf,
  values,
} from "../../../lib/encoding/mod.ts";
import { RrdDecoder } from "../../../lib/encoding/rrd/rrd_decoder.ts";
import { oldValues } from "../../../lib/encoding/chunks/old_values.ts";
import { fixture } from "../../fixtures.ts";
import { arrowOf, MIXED, recorded, TCP } from "./recorded.ts";

const SIN = { entity: "/plots/sin", component: "Scalars:scalars" } as const;

describe("values", () => {
  for (const name of MIXED) {
    it(`of one component come with their frames in ${name}`, async () => {
      const all = await Array.fromAsync(values(recorded(name), SIN));
      assert(all.length >= 20);
      for (const { time, value } of all) {
        assertEquals(value.length, 1);
        assert(Math.abs(value[0]! - Math.sin(Number(time) * 0.1)) < 1e-12, `${time}`);
      }
      assertEquals(all.map(({ time }) => time), all.map((_, i) => BigInt(i)));
    });
  }

  it("come from servers, batches and files alike, by any name and on any timeline", async () => {
    const messages = recorded("0.22.1-mixed");
    const all = await Array.fromAsync(values(messages, SIN));
    const source = { kind: "tcp-client", id: 1 } as const;
    const smart = [
      ...messages.map((msg) => ({ source, time: 0, payload: { type: "msg" as const, msg } })),
      { source, time: 0, payload: { type: "quit" as const } },
    ];
    const files = (async function* () {
      for (const msg of messages) yield { msg, offset: 0, bytes: 0 };
    })();
    for (const each of [smart, [smart], files]) {
      assertEquals(await Array.fromAsync(values(each, SIN)), all);
    }
    const other = { entity: "plots/sin", component: "rerun.components.Scalar" };
    assertEquals(await Array.fromAsync(values(messages, other)), all);
    const times = values(messages, { ...SIN, timeline: "log_time" });
    for await (const { time } of times) assert(time! > 1_700_000_000_000_000_000n);
    assertEquals(await Array.fromAsync(values(messages, { ...SIN, timeline: "no such" })), []);
  });

  it("of static data have no time", async () => {
    const all = values(recorded("0.41.0-mixed"), {
      ...{ entity: "/world", component: "ViewCoordinates:xyz" },
    });
    assertEquals(await Array.fromAsync(all), [{ time: undefined, value: Uint8Array.of(3, 5, 1) }]);
  });

  it("refuse to be asked for nothing", async () => {
    for (
      const [options, name] of [[{ ...SIN, entity: "" }, "entity"], [
        { entity: "/a" } as unknown as typeof SIN,
        "component",
      ]] as const
    ) {
      await assertRejects(() => Array.fromAsync(values([], options)), TypeError, name);
    }
  });
});

describe("byEntity", () => {
  it("counts messages, rows and bytes", async () => {
    for (const name of MIXED) {
      const counts = await byEntity(recorded(name));
      const rows = arrowOf(recorded(name)).flatMap(chunks)
        .filter(({ entityPath }) => entityPath === "/plots/sin");
      assertEquals(counts.get("/plots/sin")?.messages, rows.length, name);
      // The same for every SDK: 30 times of each, and by TCP one that clears; of 0.15.1 the radius and
      // the points of one time came in two messages.
      const points = counts.get("/world/points")?.rows;
      const expected = name === "0.15.1-mixed" ? 32 : TCP.includes(name) ? 31 : 30;
      const [sines, images] = [counts.get("/plots/sin")?.rows, counts.get("/cam/image")?.rows];
      assertEquals([sines, points, images], [30, expected, 3], name);
      assert([...counts.keys()].every((path) => path.startsWith("/")));
    }
  });

  it("counts what can't be read apart", async () => {
    const [msg] = arrowOf(recorded("0.22.1-mixed"));
    const bytes = new Uint8Array(8);
    const damaged = Object.create(msg!, {
      arrow: { value: { bytes, compression: "off", uncompressedSize: 8 } },
    });
    const counts = await byEntity([damaged]);
    assertEquals([...counts], [
      ["(damaged)", { messages: 1, rows: 0, bytes: msg!.encoded.bytes.length }],
    ]);
  });
});

describe("imageOf", () => {
  const images = (name: string): DecodedImage[] =>
    arrowOf(recorded(name)).flatMap(chunks).flatMap((chunk) =>
      Array.from({ length: chunk.rowCount }, (_, row) => imageOf(chunk, row))
    ).filter((image) => image !== undefined);

  it("gives the same pictures for every SDK", () => {
    const [reference, today] = [images("0.22.1-mixed"), images("0.41.0-mixed")];
    assert(reference.length >= 3 && today.length === 3);
    for (const { width, height, format, data } of reference) {
      assertEquals([width, height, format, data.length], [64, 48, "RGB8", 64 * 48 * 3]);
    }
    for (const name of MIXED) {
      const found = images(name);
      assert(found.length >= 3, name);
      const same = /^0\.(?:1|20|21|22)/.test(name) ? reference : today;
      assertEquals(found.slice(0, 3), same.slice(0, 3), name);
    }
  });

  it("takes no tensor and no bar chart of SDK 0.22 for a picture", () => {
    const found = new RrdDecoder().push(fixture("every/0.22.1-images.rrd")).items;
    const chunk = arrowOf(found).flatMap(chunks);
    const tensors = chunk.filter((each) => each.component("rerun.components.TensorData"));
    assertEquals(tensors.map(({ entityPath }) => entityPath).toSorted(), ["/BarChart", "/Tensor"]);
    for (const each of tensors) assertEquals(imageOf(each), undefined, each.entityPath);
    assert(chunk.some((each) => imageOf(each)?.format === "RGB8"));
  });

  for (const version of ["0.17.0", "0.18.2", "0.21.0", "0.22.1"]) {
    it(`gives pictures of ${version} for archetypes of pictures alone`, () => {
      const found = new RrdDecoder().push(fixture(`every/${version}-images.rrd`)).items;
      const pictures = new Map<string, string>();
      const seen = new Set<string>();
      for (const each of arrowOf(found).flatMap(chunks)) {
        seen.add(each.entityPath);
        const image = imageOf(each);
        if (image !== undefined) pictures.set(each.entityPath, image.format);
      }
      assert(seen.has("/Tensor") && seen.has("/BarChart"));
      assertEquals([...pictures].toSorted(), [
        ["/DepthImage", "L16"],
        ["/Image", "RGB8"],
        ["/SegmentationImage", "L8"],
      ]);
    });
  }

  const of = (components: Record<string, unknown>, archetypes = ["rerun.archetypes.Image"]) =>
    imageOf({
      archetypes,
      component: (name: string) => ({ at: () => components[name] }),
    } as unknown as Chunk);

  it("knows formats of video, depth and tensors, and takes nothing for what is not whole", () => {
    const format = { width: 4, height: 2, pixel_format: null, color_model: null };
    const data = new Uint8Array(16);
    const image = (more: object, bytes = data) =>
      of({
        "rerun.components.ImageFormat": [{ ...format, channel_datatype: null, ...more }],
        "rerun.components.ImageBuffer": [bytes],
      })?.format;
    assertEquals(image({}), "L8");
    assertEquals(image({ channel_datatype: 8 }), "L16");
    assertEquals(image({ pixel_format: 26 }), "NV12");
    assertEquals(image({ color_model: 3, channel_datatype: 6 }, new Uint8Array(32)), "RGBA8");
    assertEquals(image({ color_model: 3, channel_datatype: 6 }), undefined);
    assertEquals(image({ pixel_format: 99 }), undefined);
    assertEquals(image({ color_model: 9 }), undefined);
    const tensor = (kind: string, shape: readonly unknown[], value: unknown) => {
      const archetype = { archetype: "rerun.archetypes.Image", field: "data" };
      const sizes = shape.map((size) => typeof size === "number" ? { size: BigInt(size) } : size);
      const sent = [{ shape: sizes, buffer: { kind, value } }];
      const old = oldValues("rerun.components.TensorData", archetype, 17)!;
      return of(
        Object.fromEntries(
          old.map(({ component, today }) => [component, today(sent) as unknown[]]),
        ),
      )?.format;
    };
    assertEquals(tensor("F32", [2, 2], new Float32Array(4)), "L32F");
    assertEquals(tensor("NV12", [3, 4], new Uint8Array(12)), "NV12");
    assertEquals(tensor("JPEG", [2, 2, 3], new Uint8Array(9)), undefined);
    assertEquals(tensor("U8", [2, 2, 2, 2], data), undefined);
    assertEquals(tensor("U8", [2n, {}], data), undefined);
    assertEquals(tensor("U8", [2, 2, 3], new Uint8Array(11)), undefined);
  });
});
