import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { Bridge } from "../../lib/bridge/mod.ts";
import { todaysViewPath } from "../../lib/encoding/names/view_paths.ts";
import { checkArrowIpc } from "../../lib/encoding/arrow/arrow_check.ts";
import { readSchemaTree } from "../../lib/encoding/arrow/schema_tree.ts";
import type { ArrowMsg } from "../../lib/encoding/arrow_msg.ts";
import { RrdDecoder } from "../../lib/encoding/rrd/rrd_decoder.ts";
import { fixture } from "../fixtures.ts";
import { chunk } from "./chunks.ts";

function pathOf(msg: ArrowMsg): string {
  return readSchemaTree(msg.ipc()).tags.find(({ key }) => key === "rerun.entity_path")!.value;
}

describe("layouts", () => {
  it("name views by today's paths", () => {
    for (
      const [before, after] of [
        ["space_view/1-2", "view/1-2"],
        ["/space_view/1-2", "/view/1-2"],
        ["/space_view/1/SpaceViewContents", "/view/1/ViewContents"],
        [
          "/space_view/1/SpaceViewContents/individual_overrides/a",
          "/view/1/ViewContents/individual_overrides/a",
        ],
        ["/space_view/1/PlotLegend", "/view/1/PlotLegend"],
        ["/space_view", "/space_view"],
        ["/container/1", "/container/1"],
        ["/a/space_view/1", "/a/space_view/1"],
      ] as const
    ) assertEquals(todaysViewPath(before), after);
  });

  for (const version of ["0.17.0", "0.20.3"]) {
    it(`of SDK ${version} are whole: containers and the viewport lead to their views`, async () => {
      const bridge = new Bridge();
      const file = new RrdDecoder().push(fixture(`every/${version}-blueprint.rrd`)).items;
      const chunks = file.map((msg) => bridge.bridge(msg)).filter((msg): msg is ArrowMsg =>
        msg.kind === "ArrowMsg" && msg.storeId.kind === "Blueprint"
      );
      for (const msg of chunks) {
        assertEquals(checkArrowIpc(msg.ipc(), { values: true }), undefined);
      }
      const paths = chunks.map(pathOf).sort();
      const [view] = paths.filter((path) => /^\/view\/[\w-]+$/.test(path));
      assert(view !== undefined, paths.join());
      assert(paths.includes(`${view}/ViewContents`), paths.join());
      assertEquals(paths.filter((path) => path.includes("space_view")), []);
      const container = chunks.find((msg) => pathOf(msg).startsWith("/container/"))!;
      const table = await container.table();
      for (const name of ["IncludedContent", "ActiveTab"]) {
        const column = table.getChild(`rerun.blueprint.components.${name}`)!;
        assertEquals(JSON.stringify(column.toArray()), JSON.stringify([[view.slice(1)]]), name);
      }
      assertEquals([...bridge.counts.untagged], []);
    });
  }

  it("of other versions, and recordings, are left alone", () => {
    const of = (minor: number) =>
      pathOf(new Bridge().bridge(chunk([], { path: "/space_view/1", minor })) as ArrowMsg);
    assertEquals([of(17), of(20), of(21)], Array(3).fill("/space_view/1"));
  });
});
