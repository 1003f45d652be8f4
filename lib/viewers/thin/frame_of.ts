/**
 * Tells which messages are heavy, so that slow links may be spared them, and which belong to one
 * frame.
 *
 * @module
 */
import { InvalidMessage } from "../../base/errors.ts";
import { shortened } from "../../base/escape.ts";
import { timepointOf } from "../../encoding/arrow/arrow_timepoint.ts";
import { rowCount } from "../../encoding/arrow/row_count.ts";
import type { ArrowMsg } from "../../encoding/arrow_msg.ts";
import type { LogMsg } from "../../encoding/log_msg.ts";
import { TIME_STATIC } from "../../encoding/message_parts.ts";

/** A message with no more bytes than this is light. */
const HEAVY_BYTES = 16 * 1024;
/** A message with no more bytes than this for each of its rows is light: it is a plot. */
const HEAVY_ROW_BYTES = 4 * 1024;

/** Timelines that SDKs add to all that they log: each message has its own time on them. */
const OF_SDK: readonly string[] = ["log_tick", "log_time"];

/** Characters of a name that count; peers choose names as long as they like. */
const MAX_NAME = 256;

/**
 * Whether a message fills links, as an image or points do: data of a recording with more than 16
 * KiB, and 4 KiB for each row.
 *
 * @param msg any
 */
export function isHeavy(msg: LogMsg): boolean {
  const { length } = msg.encoded.bytes;
  if (length <= HEAVY_BYTES || !isOfRecording(msg)) return false;
  try {
    return length > HEAVY_ROW_BYTES * rowCount(msg);
  } catch (error) {
    if (!(error instanceof InvalidMessage)) throw error;
    // It can't be read: all that is known is that it is large.
    return true;
  }
}

/**
 * The frame that a message belongs to: its recording, and its time on the first of the user's
 * timelines, a sequence if there is one.
 *
 * @param msg any
 * @returns the key of the frame; `undefined` if it belongs to none, since it explains the rest or
 * has no time on a timeline of the user
 */
export function frameOf(msg: LogMsg): string | undefined {
  if (!isOfRecording(msg)) return undefined;
  const times = timesOf(msg).filter(({ name, time }) =>
    time !== TIME_STATIC && !OF_SDK.includes(name)
  );
  const frame = times.find(({ type }) => type === "sequence") ?? times[0];
  if (frame === undefined) return undefined;
  const names = [msg.storeId.id, frame.name].map((name) => shortened(name, MAX_NAME));
  return JSON.stringify([...names, String(frame.time)]);
}

/** Whether it has a time; static data is never left out. */
export function isTimed(msg: LogMsg): boolean {
  return isOfRecording(msg) && timesOf(msg).some(({ time }) => time !== TIME_STATIC);
}

function isOfRecording(msg: LogMsg): msg is ArrowMsg {
  return msg.kind === "ArrowMsg" && msg.storeId.kind === "Recording";
}

function timesOf(msg: ArrowMsg) {
  if (msg.isStatic) return [];
  try {
    return timepointOf(msg);
  } catch (error) {
    if (!(error instanceof InvalidMessage)) throw error;
    return [];
  }
}
