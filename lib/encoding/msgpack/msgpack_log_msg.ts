/**
 * Log messages in msgpack, as SDK 0.9 to 0.22 send them.
 *
 * @module
 */
import { InvalidMessage, shown } from "../../base/errors.ts";
import type { LogMsg } from "../log_msg.ts";
import { type Encoded, type StoreId, TIME_STATIC, type TimelineTime } from "../message_parts.ts";
import { ArrowMsg } from "../arrow_msg.ts";
import type { EnvelopeTemplates } from "./envelope_templates.ts";
import { DECODE_LIMITS, type DecodeLimits } from "../limits.ts";
import { MsgpackReader } from "./msgpack.ts";
import type { RrdVersion } from "../rrd_header.ts";
import { readBlueprintActivation, readSetStoreInfo } from "./msgpack_store_info.ts";
import { orderTimepoint } from "../timepoint.ts";
import { makeTuid, type Tuid } from "../tuid.ts";
import { plural } from "../../base/plural.ts";

/**
 * Decodes one log message.
 *
 * @param bytes holds the msgpack value; what follows the value is ignored, as the Rerun server does
 * @param start where the value begins, in bytes
 * @param end where the message ends
 * @param encoded the message as it came, for the result
 * @param limits of the envelope
 * @param templates what was learned from the messages before
 * @throws {InvalidMessage} if the value is not a log message
 */
export function decodeMsgpackLogMsg(
  bytes: Uint8Array,
  start: number,
  end: number,
  encoded: Encoded,
  limits: Required<DecodeLimits> = DECODE_LIMITS,
  templates?: EnvelopeTemplates,
): LogMsg {
  const known = templates?.decode(bytes, start, end, encoded);
  if (known !== undefined) return known;
  const reader = new MsgpackReader(bytes, start, end, limits, templates?.texts);
  const entries = reader.mapLength();
  if (entries !== 1) {
    throw new InvalidMessage(
      `Invalid log message: a map of ${plural(entries, "entry", "entries")} instead of one`,
    );
  }
  const kind = reader.string();
  switch (kind) {
    case "ArrowMsg": {
      const msg = readArrowMsg(reader, encoded);
      templates?.learn(bytes, start, msg);
      return msg;
    }
    case "SetStoreInfo":
      return readSetStoreInfo(reader.value(), encoded);
    case "BlueprintActivationCommand":
      return readBlueprintActivation(reader.value(), encoded);
    default:
      return { kind: "UnknownMsg", name: kind, encoded };
  }
}

function readArrowMsg(
  reader: MsgpackReader,
  encoded: Encoded,
): ArrowMsg {
  const fields = reader.arrayLength();
  if (fields !== 2) throw new InvalidMessage(`Invalid ArrowMsg: ${fields} fields instead of 2`);
  const storeId = readStoreId(reader);
  const parts = reader.arrayLength();
  if (parts !== 3) {
    throw new InvalidMessage(`Invalid ArrowMsg: data in ${plural(parts, "part")} instead of 3`);
  }
  const chunkId = readTuid(reader);
  const timepointMax = readTimepoint(reader, encoded.header.version);
  const data = reader.binary();
  const arrow = { bytes: data, compression: "off" as const, uncompressedSize: data.length };
  return new ArrowMsg(storeId, chunkId, timepointMax, undefined, arrow, encoded);
}

function readStoreId(reader: MsgpackReader): StoreId {
  let kind: string | undefined;
  let id: string | undefined;
  for (let n = reader.mapLength(); n > 0; n--) {
    const key = reader.string();
    if (key === "kind") kind = reader.string();
    else if (key === "id") id = reader.string();
    else reader.value();
  }
  if ((kind !== "Recording" && kind !== "Blueprint") || id === undefined) {
    throw new InvalidMessage(`Invalid store id: kind ${shown(kind)}, id ${shown(id)}`);
  }
  return { kind, id };
}

function readTuid(reader: MsgpackReader): Tuid {
  let timeNs: bigint | undefined;
  let inc: bigint | undefined;
  for (let n = reader.mapLength(); n > 0; n--) {
    const key = reader.string();
    if (key === "time_ns") timeNs = reader.bigint();
    else if (key === "inc") inc = reader.bigint();
    else reader.value();
  }
  return makeTuid(timeNs, inc);
}

function readTimepoint(reader: MsgpackReader, version: RrdVersion): TimelineTime[] {
  const times: TimelineTime[] = [];
  for (let n = reader.mapLength(); n > 0; n--) {
    let name: string | undefined;
    let typ: string | undefined;
    for (let m = reader.mapLength(); m > 0; m--) {
      const key = reader.string();
      if (key === "name") name = reader.string();
      else if (key === "typ") typ = reader.string();
      else reader.value();
    }
    if (name === undefined || (typ !== "Sequence" && typ !== "Time")) {
      throw new InvalidMessage(`Invalid timeline: name ${shown(name)}, type ${shown(typ)}`);
    }
    times.push({
      name,
      type: typ === "Time" ? "time" : "sequence",
      time: readTime(reader, version),
    });
  }
  return orderTimepoint(times);
}

function readTime(reader: MsgpackReader, version: RrdVersion): bigint {
  if (reader.nil()) return TIME_STATIC;
  const time = reader.bigint();
  const reserved = time === TIME_STATIC && (version.major > 0 || version.minor >= 16);
  if (reserved || BigInt.asIntN(64, time) !== time) {
    throw new InvalidMessage(`Invalid time: ${time}`);
  }
  return time;
}
