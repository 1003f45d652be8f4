/** Whether two decoders made the same of the same bytes. */
import { Buffer } from "node:buffer";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";

/** Whether messages have the same kind, ids, times and encoded bytes. */
export function isSameMsg(a: LogMsg, b: LogMsg): boolean {
  return a.kind === b.kind && shown(a) === shown(b) &&
    Buffer.compare(a.encoded.bytes, b.encoded.bytes) === 0;
}

function shown(msg: LogMsg): string {
  switch (msg.kind) {
    case "SetStoreInfo":
      return `${msg.rowId} ${msg.info.storeId.id} ${msg.info.started}`;
    case "ArrowMsg": {
      const times = msg.timepointMax?.map(({ name, time }) => `${name} ${time}`);
      return `${msg.storeId.id} ${msg.chunkId} ${msg.arrow.bytes.length} ${times}`;
    }
    case "BlueprintActivationCommand":
      return `${msg.blueprintId.id} ${msg.makeActive} ${msg.makeDefault}`;
    case "UnknownMsg":
      return msg.name;
  }
}
