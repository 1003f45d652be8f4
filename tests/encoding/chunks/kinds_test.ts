/** One program, run by SDKs from 0.9 on (`tests/conformance/kinds.py`): what it logged means the same. */
import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { byEntity, chunks, imageOf, values } from "../../../lib/encoding/mod.ts";
import type { LogMsg } from "../../../lib/encoding/log_msg.ts";
import { arrowOf, KINDS } from "./recorded.ts";

const TODAY = "0.41.0";
const TIME = 1_700_000_000_000_000_001n;

/** What every SDK of them has logged. */
const COMPONENTS: readonly (readonly [string, string])[] = [
  ["/bar", "BarChart:values"],
  ["/b", "Boxes3D:half_sizes"],
  ["/b", "Boxes3D:centers"],
  ["/b", "Clear:is_recursive"],
  ["/cam", "Pinhole:image_from_camera"],
  ["/cam", "Pinhole:resolution"],
  ["/img/depth16", "DepthImage:buffer"],
  ["/img/depth16", "DepthImage:format"],
  ["/img/depth16", "DepthImage:meter"],
  ["/img/depthf32", "DepthImage:format"],
  ["/img/f32", "Image:buffer"],
  ["/img/f32", "Image:format"],
  ["/img/jpeg", "EncodedImage:media_type"],
  ["/img/l16", "Image:format"],
  ["/img/l8", "Image:buffer"],
  ["/img/rgb8", "Image:buffer"],
  ["/img/rgb8", "Image:format"],
  ["/img/rgba8", "Image:format"],
  ["/img/seg", "SegmentationImage:buffer"],
  ["/img/seg16", "SegmentationImage:format"],
  ["/l", "LineStrips3D:strips"],
  ["/log", "TextLog:level"],
  ["/log", "TextLog:text"],
  ["/p", "Points3D:positions"],
  ["/p", "Points3D:colors"],
  ["/p", "Points3D:labels"],
  ["/s/x", "Scalars:scalars"],
  ["/st", "TextDocument:text"],
  ["/t/f64", "Tensor:data"],
  ["/t/one", "Tensor:data"],
  ["/t/three", "Tensor:data"],
  ["/tr", "Transform3D:translation"],
  ["/any", "confidence"],
];

/** All that is in it, by entity and component, with its times on the program's timelines. */
function all(version: string): Map<string, unknown[]> {
  const found = new Map<string, unknown[]>();
  const add = (key: string, value: unknown) => found.set(key, [...found.get(key) ?? [], value]);
  for (const chunk of arrowOf(KINDS.get(version)!).flatMap(chunks)) {
    for (let row = 0; row < chunk.rowCount; row++) {
      const times = chunk.timelines
        .filter(({ name, validity }) => /^(?:frame|time)$/.test(name) && validity?.[row] !== 0)
        .map(({ name, type, times }) => [name, type, times[row]])
        .toSorted();
      for (const each of chunk.components) {
        const value = each.at(row);
        if (value !== undefined) add(`${chunk.entityPath} ${each.name}`, [times, value]);
      }
      const image = imageOf(chunk, row);
      if (image !== undefined) add(`${chunk.entityPath} image`, image);
    }
    for (const name of chunk.archetypes) add(`${chunk.entityPath} archetypes`, name);
  }
  // Batches may come in any order.
  for (const each of found.values()) each.sort((a, b) => text(a) < text(b) ? -1 : 1);
  return found;
}

function text(value: unknown): string {
  return JSON.stringify(value, (_, each) => typeof each === "bigint" ? `${each}` : each);
}

describe("one of each kind", () => {
  const today = all(TODAY);

  it("has the times that it was logged with", () => {
    const now = [["frame", "sequence", 0n], ["time", "timestamp", TIME]];
    assertEquals(today.get("/s/x Scalars:scalars"), [
      [now, Float64Array.of(0.5)],
      [[["frame", "sequence", 100n]], Float64Array.of(100.5)],
      [[["time", "timestamp", 5n]], Float64Array.of(200.5)],
      [[], Float64Array.of(300.5)],
    ]);
    assertEquals(today.get("/st TextDocument:text"), [[[], ["x"]]]);
  });

  for (const version of KINDS.keys()) {
    it(`is the same of SDK ${version} as of ${TODAY}`, () => {
      const then = all(version);
      for (const [path, name] of COMPONENTS) {
        const key = `${path} ${name}`;
        assert(today.has(key), key);
        assertEquals(then.get(key), today.get(key), key);
      }
      const images = (found: Map<string, unknown[]>) =>
        [...found].filter(([key]) => key.endsWith(" image") && !key.includes("nv12")).toSorted();
      assertEquals(images(then), images(today));
      assert(images(today).length >= 9);
      for (const path of ["/s/x", "/p", "/img/rgb8", "/img/seg", "/t/two", "/tr"]) {
        const archetypes = (
          found: Map<string, unknown[]>,
        ) => [...new Set(found.get(`${path} archetypes`))];
        assertEquals(archetypes(then), archetypes(today), path);
      }
    });

    it(`is counted and found alike of SDK ${version}`, async () => {
      const messages = KINDS.get(version)!;
      const rowsOf = async (messages: readonly LogMsg[]) =>
        [...await byEntity(messages)]
          .filter(([path]) => !/^\/(?:__|c\/|img\/nv)/.test(path))
          .map(([path, { rows }]) => [path, rows] as const).toSorted();
      const rows = await rowsOf(messages);
      // What was logged once for all instances came in another message than the instances there.
      const isApart = (path: string) => version === "0.9.1" && path === "/any";
      const expected = (await rowsOf(KINDS.get(TODAY)!))
        .map(([path, rows]) => [path, isApart(path) ? rows + 1 : rows] as const);
      assertEquals(rows, expected);
      const x = { entity: "/s/x", component: "Scalars:scalars" } as const;
      assertEquals(await Array.fromAsync(values(messages, { ...x, timeline: "time" })), [
        { time: TIME, value: Float64Array.of(0.5) },
        { time: 5n, value: Float64Array.of(200.5) },
      ]);
      assertEquals(
        (await Array.fromAsync(values(messages, { ...x, timeline: "frame" }))).map(({ time }) =>
          time
        ),
        [0n, 100n],
      );
    });
  }
});
