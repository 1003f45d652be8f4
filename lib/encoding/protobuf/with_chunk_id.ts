/**
 * Adds the chunk's id to the envelope, where Rerun 0.24 and later look for it.
 *
 * @module
 */
import { schemaOf } from "../arrow/arrow_timepoint.ts";
import { InvalidMessage } from "../../base/errors.ts";
import { ArrowMsg } from "../arrow_msg.ts";
import type { LogMsg } from "../log_msg.ts";
import type { Tuid } from "../tuid.ts";
import { isNewProtobuf } from "../rrd/same_encoding.ts";
import { writeHead } from "./encode_log_msg.ts";

/** Before a message in `.rrd`, in bytes. */
const HEAD_BYTES = 16;
/** The kind of an `ArrowMsg`. */
const ARROW_MSG = 2;
/** Tags of the id, and of its two fields. */
const [CHUNK_ID, TIME_NS, INC] = [6 << 3 | 2, 1 << 3 | 1, 2 << 3 | 1];
const TUID_BYTES = 18;

/**
 * Adds the id from the chunk's schema at the end of the message.
 *
 * @param msg any message
 * @returns the same message if it is not a chunk, has an id, is in another form, or has no id in
 * its schema
 */
export function withChunkId(msg: LogMsg): LogMsg {
  const { header } = msg.encoded;
  if (msg.kind !== "ArrowMsg" || msg.chunkId !== undefined || !isNewProtobuf(header)) return msg;
  const { bytes } = msg.encoded;
  const chunkId = idOf(msg);
  if (chunkId === undefined) return msg;
  const longer = new Uint8Array(bytes.length + 2 + TUID_BYTES);
  longer.set(bytes);
  writeHead(longer, 0, ARROW_MSG, longer.length - HEAD_BYTES);
  const view = new DataView(longer.buffer, bytes.length);
  view.setUint8(0, CHUNK_ID);
  view.setUint8(1, TUID_BYTES);
  view.setUint8(2, TIME_NS);
  view.setBigUint64(3, chunkId.timeNs, true);
  view.setUint8(11, INC);
  view.setBigUint64(12, chunkId.inc, true);
  const { storeId, timepointMax, isStatic, arrow } = msg;
  return new ArrowMsg(storeId, chunkId, timepointMax, isStatic, arrow, { header, bytes: longer });
}

function idOf(msg: ArrowMsg): Tuid | undefined {
  try {
    return schemaOf(msg).chunkId;
  } catch (error) {
    if (!(error instanceof InvalidMessage)) throw error;
    return undefined; // damaged data is kept as it came
  }
}
