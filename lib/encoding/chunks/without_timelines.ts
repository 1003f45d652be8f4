/**
 * Removes timelines from chunks: their columns are taken out of schema and batch, and all other
 * columns keep their bytes.
 *
 * @module
 */
import { encodeBatch, readBatch } from "../arrow/batch_arrays.ts";
import { encodeSchema } from "../arrow/encode_schema.ts";
import { schemaBytes } from "../arrow/known_schemas.ts";
import { readSchemaTree } from "../arrow/schema_tree.ts";
import type { ArrowMsg } from "../arrow_msg.ts";
import { withArrow } from "../protobuf/with_arrow.ts";
import { timelineOf } from "./chunk_schema.ts";

/**
 * Removes timelines from a chunk. Its rows stay; without any timeline it becomes static.
 *
 * @param msg of SDK 0.17 and later, in protobuf
 * @param names of the timelines
 * @returns the message itself if it has none of them
 * @throws {InvalidMessage} if it is damaged, or has features that chunks of Rerun do not have
 */
export function withoutTimelines(msg: ArrowMsg, names: ReadonlySet<string>): ArrowMsg {
  const ipc = msg.ipc();
  const tree = readSchemaTree(ipc);
  const timelines = tree.fields.map(timelineOf);
  const stays = timelines.map((name) => name === undefined || !names.has(name));
  if (!stays.includes(false)) return msg;
  const batch = readBatch(ipc, schemaBytes(ipc).place.end, tree.fields);
  const { version, tags } = tree;
  const { bytes: schema } = encodeSchema({
    version,
    tags,
    fields: tree.fields.filter((_, i) => stays[i]),
  });
  const rest = encodeBatch({ ...batch, columns: batch.columns.filter((_, i) => stays[i]) });
  const whole = new Uint8Array(schema.length + rest.bytes);
  whole.set(schema);
  rest.write(whole.subarray(schema.length));
  return withArrow(msg, whole, !timelines.some((name, i) => name !== undefined && stays[i]));
}
