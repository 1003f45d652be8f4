/**
 * Encodes messages for NATS: each publish holds one RRD stream, or a part of one if a message is
 * large.
 *
 * @module
 */
import type { LogMsg } from "../encoding/log_msg.ts";
import { RRD_HEADER_BYTES } from "../encoding/rrd_header.ts";
import { MAX_MESSAGES } from "./headers.ts";

/** A message with its number in its file. */
export interface NumberedMessage {
  readonly number: number;
  readonly msg: LogMsg;
}

/** Limits of one publish. */
export interface PayloadLimits {
  /** Most bytes of its messages, if there are several. */
  readonly maxBatchBytes: number;
  /** The server's limit without headers, in bytes: a larger message is sent in parts. */
  readonly maxPayloadBytes: number;
}

/**
 * Cuts messages into runs for one publish each: neighbors that can stand under one RRD header,
 * within the limits. A larger message becomes a run of its own. Each is looked for when it is asked for.
 */
export function* publishRuns<T extends NumberedMessage>(
  messages: readonly T[],
  { maxBatchBytes, maxPayloadBytes }: PayloadLimits,
): Generator<T[]> {
  const limit = Math.min(maxBatchBytes, maxPayloadBytes) - RRD_HEADER_BYTES;
  let run: T[] = [];
  let bytes = 0;
  for (const message of messages) {
    const { header, bytes: { length } } = message.msg.encoded;
    const fits = run.length > 0 && run.length < MAX_MESSAGES && bytes + length <= limit &&
      isSame(header.bytes, run[0]!.msg.encoded.header.bytes);
    if (!fits) {
      if (run.length > 0) yield run;
      run = [];
      bytes = 0;
    }
    run.push(message);
    bytes += length;
  }
  if (run.length > 0) yield run;
}

/** Encodes a run as an RRD stream. */
export function payloadOf(messages: readonly NumberedMessage[]): Uint8Array<ArrayBuffer> {
  let bytes = RRD_HEADER_BYTES;
  for (const { msg } of messages) bytes += msg.encoded.bytes.length;
  const payload = new Uint8Array(bytes);
  payload.set(messages[0]!.msg.encoded.header.bytes);
  let at = RRD_HEADER_BYTES;
  for (const { msg } of messages) {
    payload.set(msg.encoded.bytes, at);
    at += msg.encoded.bytes.length;
  }
  return payload;
}

/**
 * Cuts a payload that is too large for one publish into parts, as views; otherwise returns it as
 * the only one.
 */
export function partsOf(payload: Uint8Array, maxPayloadBytes: number): Uint8Array[] {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < payload.length; at += maxPayloadBytes) {
    parts.push(payload.subarray(at, at + maxPayloadBytes));
  }
  return parts;
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
  return a === b || a.every((byte, i) => byte === b[i]);
}
