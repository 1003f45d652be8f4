/**
 * Sends the messages of a file to a server again.
 *
 * @module
 */
import { timepointOf } from "../encoding/arrow/arrow_timepoint.ts";
import { endMarker } from "../encoding/rrd/rrd_encode.ts";
import type { LogMsg } from "../encoding/log_msg.ts";
import type { Encoded } from "../encoding/message_parts.ts";

/**
 * A message as one packet of the SDK protocol: its length, an RRD header, the message, and with
 * protobuf the end marker, which the Rerun server wants there.
 *
 * @returns pieces to send one after another
 */
export function packetPieces(
  { header, bytes }: Encoded,
): Uint8Array[] {
  const tail = header.serializer === "protobuf" ? [endMarker(header)] : [];
  const length = header.bytes.length + bytes.length + (tail[0]?.length ?? 0);
  const head = new Uint8Array(4 + header.bytes.length);
  new DataView(head.buffer).setUint32(0, length, true);
  head.set(header.bytes, 4);
  return [head, bytes, ...tail];
}

/** Default of the longest pause between two messages that is waited for, in seconds. */
const MAX_GAP_SEC = 10;

/**
 * Says how long to wait before each message, so that they go out as they were logged.
 *
 * Where the clock of the log jumps, forwards or backwards, the pace goes on behind the jump.
 */
export class Pacer {
  /**
   * The time in the log and on our clock from which is counted: of the first message, and after
   * each jump.
   */
  #since: { readonly time: bigint; readonly at: number } | undefined;
  #last = 0n;
  #jumpSec = 0;

  /**
   * @param speed times as fast as it was logged; infinite to never wait
   * @param maxGapSec seconds in the log between two messages; more is a jump of the clock
   */
  constructor(readonly speed: number, readonly maxGapSec: number = MAX_GAP_SEC) {}

  /** How far the clock jumped before the message asked for last, in seconds; 0 where it did not. */
  get jumpSec(): number {
    return this.#jumpSec;
  }

  /**
   * How long to wait before this message.
   *
   * @param msg the next in the file
   * @param now monotonic milliseconds
   * @returns milliseconds, 0 for a message without `log_time`, behind a jump, or whose time has come
   */
  delay(msg: LogMsg, now: number): number {
    this.#jumpSec = 0;
    if (this.speed === Infinity || msg.kind !== "ArrowMsg") return 0;
    const time = logTime(msg);
    if (time === undefined) return 0;
    const stepSec = this.#since === undefined ? 0 : Number(time - this.#last) / 1e9;
    const isJump = Math.abs(stepSec) > this.maxGapSec;
    if (isJump) this.#jumpSec = stepSec;
    this.#last = time;
    if (this.#since === undefined || isJump) this.#since = { time, at: now };
    const loggedMs = Number(time - this.#since.time) / 1e6;
    return Math.max(0, this.#since.at + loggedMs / this.speed - now);
  }
}

function logTime(msg: Extract<LogMsg, { kind: "ArrowMsg" }>): bigint | undefined {
  try {
    return timepointOf(msg).find(({ name }) => name === "log_time")?.time;
  } catch {
    return undefined; // whatever its data is, it can be sent at once
  }
}
