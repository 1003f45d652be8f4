/**
 * Messages as NATS holds them: an RRD stream each, as an SDK's packet is one; a large message in parts.
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

/** How much stands in one publish. */
export interface PayloadLimits {
  /** Length of the messages of one, in bytes, where there are several. */
  readonly maxBatchBytes: number;
  /** What the server takes, headers left out, in bytes: a larger message is sent in parts. */
  readonly maxPayloadBytes: number;
}

/**
 * Cuts messages into runs that may stand in one publish: neighbours under one RRD header, few enough
 * and short enough; a larger one stands alone.
 */
export function publishRuns<T extends NumberedMessage>(
  messages: readonly T[],
  { maxBatchBytes, maxPayloadBytes }: PayloadLimits,
): T[][] {
  const runs: T[][] = [];
  const limit = Math.min(maxBatchBytes, maxPayloadBytes) - RRD_HEADER_BYTES;
  let run: T[] = [];
  let bytes = 0;
  for (const message of messages) {
    const { header, bytes: { length } } = message.msg.encoded;
    const fits = run.length > 0 && run.length < MAX_MESSAGES && bytes + length <= limit &&
      isSame(header.bytes, run[0]!.msg.encoded.header.bytes);
    if (!fits) {
      runs.push(run = []);
      bytes = 0;
    }
    run.push(message);
    bytes += length;
  }
  return runs;
}

/** The RRD stream of messages that may stand under one header. */
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

/** The parts of what is too large for one publish, as views; one where it is not. */
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
