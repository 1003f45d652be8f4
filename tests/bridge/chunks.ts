/** Chunks of old SDKs, as far as the bridge looks at them. */
import { ArrowMsg } from "../../lib/encoding/arrow_msg.ts";
import { encodeSchema } from "../../lib/encoding/arrow/encode_schema.ts";
import { readSchema } from "../../lib/encoding/arrow/arrow_ipc.ts";
import type { SchemaField, SchemaTag } from "../../lib/encoding/arrow/schema_tree.ts";
import { decodeRrdHeader } from "../../lib/encoding/rrd_header.ts";
import { RrdDecoder } from "../../lib/encoding/rrd/rrd_decoder.ts";
import { Tuid } from "../../lib/encoding/tuid.ts";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import { concat } from "../encoding/rrd_builder.ts";
import { capturePackets } from "../fixtures.ts";

/** What stands for a record batch: nothing looks at it. */
export const REST = Uint8Array.from({ length: 64 }, (_, i) => 255 - i);

/** A column of lists of nothing. */
export function column(name: string, tags: Record<string, string> = {}): SchemaField {
  return {
    ...{ name, nullable: true, type: 12, parameters: [], dictionary: undefined },
    children: [{
      ...{ name: "item", nullable: true, type: 1, parameters: [], dictionary: undefined },
      ...{ children: [], tags: [] },
    }],
    tags: tagList({ "rerun.kind": "data", ...tags }),
  };
}

function tagList(tags: Record<string, string>): SchemaTag[] {
  return Object.entries(tags).map(([key, value]) => ({ key, value }));
}

/** What is different of a chunk. */
export interface ChunkOptions {
  readonly minor?: number;
  readonly path?: string;
  readonly id?: number;
  readonly size?: number;
  readonly store?: string;
  readonly tags?: Record<string, string>;
}

/** A chunk that holds these columns, by name or whole. */
export function chunk(columns: readonly (string | SchemaField)[], options: ChunkOptions = {}) {
  const { minor = 20, path = "/points", id = 1, size = 100, store = "rec", tags } = options;
  const { bytes } = encodeSchema({
    version: 4,
    fields: columns.map((each) => typeof each === "string" ? column(each) : each),
    tags: tagList(
      tags ?? {
        "rerun.id": id.toString(16).toUpperCase().padStart(32, "0"),
        "rerun.entity_path": path,
        // SDK 0.17 did not say it.
        ...(minor > 17 && { "rerun.heap_size_bytes": String(size) }),
      },
    ),
  });
  return chunkOf(concat(bytes, REST), minor, store);
}

/** A chunk of an Arrow IPC stream. */
export function chunkOf(ipc: Uint8Array, minor = 20, store = "rec"): ArrowMsg {
  const arrow = { bytes: ipc, compression: "off" as const, uncompressedSize: ipc.length };
  const header = decodeRrdHeader(Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, minor, 0, 0, 0, 1, 0, 0));
  const encoded = { header, bytes: new Uint8Array(0) };
  const storeId = { kind: "Recording" as const, id: store };
  return new ArrowMsg(storeId, new Tuid(1n, 2n), [], undefined, arrow, encoded);
}

/** Tags of the columns of a message, by the columns' names: `ARCHETYPE FIELD COMPONENT`, short. */
export function tagsOf(msg: LogMsg): Record<string, string> {
  if (msg.kind !== "ArrowMsg") throw new Error(msg.kind);
  const short = (text: string | undefined) =>
    (text ?? "-").replace(/^rerun\.(blueprint\.)?(archetypes|components)\./, "$1");
  return Object.fromEntries(
    readSchema(msg.ipc()).fields.map(({ name, metadata }) => [
      short(name),
      ["archetype", "archetype_field", "component"].map((tag) =>
        short(metadata.get(`rerun.${tag}`))
      )
        .join(" "),
    ]),
  );
}

/** The messages of a capture. */
export function capturedMessages(name: string): LogMsg[] {
  const decoder = new RrdDecoder();
  return capturePackets(name).flatMap((packet) => {
    const { items, error } = decoder.decodePacket(packet);
    if (error !== undefined) throw error;
    return items;
  });
}

/** Captures of SDKs that are bridged. */
export const BRIDGED = [
  ...["0.17.0-mixed", "0.18.2-mixed", "0.19.1-mixed", "0.20.3-mixed", "0.21.0-mixed"],
  ...["0.22.1-mixed", "0.22.1-blueprint", "0.22.1-timeonly"],
];
