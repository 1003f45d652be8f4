/**
 * The schema of a whole recording, which its index begins with.
 *
 * @module
 */
import { compareUtf8, END_OF_STREAM, schemaMessage } from "../encoding/arrow/write_stream.ts";
import type { SchemaField } from "../encoding/arrow/schema_tree.ts";
import { descriptorTags, isTombstone } from "./descriptor.ts";
import type { EntityColumn, Manifest } from "./manifest.ts";
import { FIXED_BINARY_16 } from "./manifest_columns.ts";

/** The schema as an Arrow IPC stream, and its hash. */
export interface RecordingSchema {
  readonly stream: Uint8Array;
  readonly sha256: Uint8Array;
}

/** Encodes the schema of the recording. */
export async function recordingSchema(manifest: Manifest): Promise<RecordingSchema> {
  const fields = [
    ROW_ID,
    ...[...manifest.timelines].map(([name, field]) => timelineField(name, field)),
    ...[...manifest.columns].map(([name, column]) => componentField(name, column)),
  ].sort((a, b) => compareUtf8(a.name, b.name));
  const message = schemaMessage(fields);
  const sha256 = new Uint8Array(
    await crypto.subtle.digest("SHA-256", message as Uint8Array<ArrayBuffer>),
  );
  const stream = new Uint8Array(message.length + END_OF_STREAM.length);
  stream.set(message);
  stream.set(END_OF_STREAM, message.length);
  return { stream, sha256 };
}

const ROW_ID: SchemaField = {
  ...FIXED_BINARY_16,
  name: "rerun.controls.RowId",
  nullable: false,
  tags: [
    { key: "ARROW:extension:metadata", value: '{"namespace":"row"}' },
    { key: "ARROW:extension:name", value: "rerun.datatypes.TUID" },
    { key: "rerun:kind", value: "control" },
  ],
};

function timelineField(name: string, field: SchemaField): SchemaField {
  const tags = [{ key: "rerun:index_name", value: name }, { key: "rerun:kind", value: "index" }];
  return { ...field, name, nullable: true, tags };
}

function componentField(name: string, column: EntityColumn): SchemaField {
  const { descriptor, entityPath, field, isStatic, hasValues } = column;
  const when = (isSo: boolean, key: string) => isSo ? [{ key, value: "true" }] : [];
  const tags = [
    ...descriptorTags(descriptor),
    { key: "rerun:entity_path", value: entityPath },
    { key: "rerun:kind", value: "data" },
    ...when(isStatic, "rerun:is_static"),
    ...when(isTombstone(descriptor), "rerun:is_tombstone"),
    ...when(!hasValues, "rerun:is_semantically_empty"),
  ];
  return { ...field, name, nullable: true, tags };
}
