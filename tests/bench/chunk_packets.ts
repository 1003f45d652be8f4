/** Chunks as SDK 0.22 sends them, of pictures and of points. */
import * as arrow from "apache-arrow";
import type { ArrowMsg } from "../../lib/encoding/arrow_msg.ts";
import { chunkOf } from "../bridge/chunks.ts";

const item = <T extends arrow.DataType>(type: T) => new arrow.Field("item", type, true);

/** A column of one row, a list of all that is in `child`. */
function listOf<T extends arrow.DataType>(child: arrow.Data<T>): arrow.Vector {
  const type = new arrow.List(item(child.type));
  const valueOffsets = Int32Array.of(0, child.length);
  return new arrow.Vector([
    arrow.makeData({ type, length: 1, nullCount: 0, valueOffsets, child }),
  ]);
}

function message(path: string, archetype: string, fields: Record<string, [string, arrow.Vector]>) {
  const frame = arrow.vectorFromArray([7n], new arrow.Int64());
  const columns: Record<string, arrow.Vector> = { frame };
  for (const [component, vector] of Object.values(fields)) {
    columns[`rerun.components.${component}`] = vector;
  }
  const table = new arrow.Table(columns);
  const { schema } = table;
  schema.metadata.set("rerun.entity_path", path);
  schema.metadata.set("rerun.id", "18EA51C1123BAE9B5151A2D9A333D96A");
  schema.fields[0]!.metadata.set("rerun.kind", "time");
  Object.keys(fields).forEach((name, i) => {
    schema.fields[i + 1]!.metadata.set("rerun.kind", "data")
      .set("rerun.archetype_name", `rerun.archetypes.${archetype}`)
      .set("rerun.archetype_field_name", name);
  });
  return chunkOf(arrow.tableToIPC(table, "stream"), 22);
}

/** Pictures of 640 × 480 pixels. */
export function imageMessages(count: number): ArrowMsg[] {
  return Array.from({ length: count }, (_, i) => {
    const data = new Uint8Array(640 * 480 * 3).fill(i + 1);
    const blob = arrow.makeData({
      type: new arrow.Uint8(),
      length: data.length,
      nullCount: 0,
      data,
    });
    const blobs = listOf(blob).data[0]!;
    const format = arrow.vectorFromArray(
      [{
        ...{ width: 640, height: 480, pixel_format: null, color_model: 2, channel_datatype: 6 },
      }],
      new arrow.Struct(["width", "height", "pixel_format", "color_model", "channel_datatype"]
        .map((name, i) =>
          new arrow.Field(name, i < 2 ? new arrow.Uint32() : new arrow.Uint8(), true)
        )),
    );
    return message("/cam", "Image", {
      buffer: ["ImageBuffer", listOf(blobs)],
      format: ["ImageFormat", listOf(format.data[0]!)],
    });
  });
}

/** 100,000 points each. */
export function pointMessages(count: number): ArrowMsg[] {
  return Array.from({ length: count }, (_, i) => {
    const data = new Float32Array(300_000).fill(i + 1);
    const child = arrow.makeData({
      type: new arrow.Float32(),
      length: data.length,
      nullCount: 0,
      data,
    });
    const type = new arrow.FixedSizeList(3, item(new arrow.Float32()));
    const points = arrow.makeData({ type, length: 100_000, nullCount: 0, child });
    return message("/points", "Points3D", { positions: ["Position3D", listOf(points)] });
  });
}
