/** Log messages made by hand, as far as throttling looks at them. */
import { ArrowMsg } from "../../lib/encoding/arrow_msg.ts";
import type { LogMsg } from "../../lib/encoding/log_msg.ts";
import type { Encoded, StoreId, TimelineTime } from "../../lib/encoding/message_parts.ts";
import { decodeRrdHeader } from "../../lib/encoding/rrd_header.ts";
import { Tuid } from "../../lib/encoding/tuid.ts";
import type { Log, LogLevel } from "../../lib/base/log.ts";

const NOTHING = new Uint8Array(0);
const HEADER = decodeRrdHeader(Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 22, 1, 0, 0, 1, 0, 0));

/** What can be said of a made message; by default it is of 1000 bytes and of one recording. */
export interface Made {
  readonly storeId?: StoreId;
  readonly isStatic?: boolean;
  readonly bytes?: number;
  readonly ipc?: Uint8Array;
}

/** A recording of this id. */
export function recording(id: string): StoreId {
  return { kind: "Recording", id };
}

/** A chunk with this time point in its envelope; `undefined` for none. */
export function chunk(times: readonly TimelineTime[] | undefined, made: Made = {}): ArrowMsg {
  const { storeId = recording("rec"), isStatic, bytes = 1000, ipc = NOTHING } = made;
  const arrow = { bytes: ipc, compression: "off", uncompressedSize: ipc.length } as const;
  return new ArrowMsg(storeId, undefined, times, isStatic, arrow, encodedOf(bytes));
}

/** Encoded bytes of this length, that are never looked at. */
export function encodedOf(length: number): Encoded {
  return { header: HEADER, bytes: { length, byteLength: length } as Uint8Array };
}

/** A time on a sequence timeline. */
export function sequence(name: string, time: number | bigint): TimelineTime {
  return { name, type: "sequence", time: BigInt(time) };
}

/** A chunk of a frame as SDKs log it: the frame's number, and its own `log_tick` and `log_time`. */
export function frameChunk(frame: number, tick = frame, made?: Made): ArrowMsg {
  return chunk([
    sequence("frame", frame),
    sequence("log_tick", tick),
    { name: "log_time", type: "time", time: BigInt(tick) },
  ], made);
}

/** One message of each kind that must never be dropped, by what it is. */
export function undroppable(): Record<string, LogMsg> {
  const storeId = recording("rec");
  const encoded = encodedOf(1000);
  const blueprint: StoreId = { kind: "Blueprint", id: "bp" };
  return {
    "store info": {
      kind: "SetStoreInfo",
      rowId: new Tuid(0n, 0n),
      info: {
        applicationId: "app",
        storeId,
        isOfficialExample: false,
        started: 0n,
        storeSource: { kind: "Unknown" },
      },
      encoded,
    },
    "blueprint activation": {
      kind: "BlueprintActivationCommand",
      blueprintId: blueprint,
      makeActive: true,
      makeDefault: true,
      encoded,
    },
    "unknown kind": { kind: "UnknownMsg", name: "EntityPathOpMsg", encoded },
    "blueprint data": chunk([sequence("blueprint", 1)], { storeId: blueprint }),
    "static data": chunk([]),
    "static on each timeline": chunk([sequence("frame", -(2n ** 63n))]),
    "static by the envelope": chunk(undefined, { isStatic: true }),
    "unreadable Arrow data": chunk(undefined),
  };
}

/** A log that keeps its lines. */
export function keptLog(): Log & { lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    enabled: () => true,
    write: (level: LogLevel, message) => lines.push(`${level}: ${message}`),
  };
}

/** A clock that stands still until it is set. */
export function virtualClock(): { ms: number; now: () => number } {
  const clock = { ms: 0, now: () => clock.ms };
  return clock;
}
