/**
 * Log messages as Rerun's servers sent them to viewers over WebSocket, up to 0.22: `RR00`, then
 * bincode. Arrow data goes through untouched.
 *
 * @module
 */
import { checkGiven } from "../../base/check_arguments.ts";
import type { LogMsg } from "../log_msg.ts";
import type { FileSource, StoreId, StoreInfo, TimelineTime } from "../message_parts.ts";
import { TIME_STATIC } from "../message_parts.ts";
import type { ArrowMsg } from "../arrow_msg.ts";
import { readSchema } from "../arrow/arrow_ipc.ts";
import { readTimepoint } from "../arrow/arrow_timepoint.ts";
import { BincodeWriter } from "./bincode.ts";
import type { RrdVersion } from "../rrd_header.ts";
import type { Tuid } from "../tuid.ts";

/** Native viewers cut the connection at a message above this, in bytes. */
export const MAX_VIEWER_FRAME_BYTES: number = 64 * 1024 * 1024;

/**
 * Why a message has no form that viewers read: above 64 MiB, of a kind they do not know, or with
 * Arrow data that does not tell what the frame must say.
 */
export type LeftOut = "tooLarge" | "unknownKind" | "unreadable";

const MAGIC = Uint8Array.of(0x52, 0x52, 0x30, 0x30);
const FILE_SOURCES: readonly FileSource[] = ["Cli", "DragAndDrop", "FileDialog", "Sdk"];
/** File sources of 0.21 and later, which have one more, and not at the end. */
const FILE_SOURCES_0_21: readonly FileSource[] = ["Cli", "Uri", "DragAndDrop", "FileDialog", "Sdk"];

/** Shared by all calls: each writes one message, without waiting in between. */
const writer = new BincodeWriter(4096);

/**
 * The WebSocket message that tells viewers of a log message.
 *
 * @param msg of any SDK that viewers 0.16 to 0.22 can show
 * @returns the frame, on a buffer of its own; or why there is none
 *
 * @example
 * ```ts
 * import { decodeRrdHeader, viewerFrame } from "@rerelay/server/encoding";
 * import { assertEquals } from "@std/assert";
 *
 * const header = decodeRrdHeader(Uint8Array.of(0x52, 0x52, 0x46, 0x32, 0, 22, 1, 0, 0, 1, 0, 0));
 * const encoded = { header, bytes: new Uint8Array() };
 * const blueprintId = { kind: "Blueprint" as const, id: "b" };
 * const msg = { kind: "BlueprintActivationCommand" as const, blueprintId, encoded };
 * const frame = viewerFrame({ ...msg, makeActive: true, makeDefault: false });
 * assertEquals(frame, Uint8Array.of(0x52, 0x52, 0x30, 0x30, 2, 1, 1, 0x62, 1, 0)); // RR00, …
 * ```
 */
export function viewerFrame(msg: LogMsg): Uint8Array<ArrayBuffer> | LeftOut {
  checkGiven("viewerFrame", "a log message", typeof msg?.kind === "string", msg);
  const tail = write(msg);
  return typeof tail === "string" ? tail : writer.finish(tail);
}

/** A frame for a viewer in two parts, so that Arrow data needs no copy. */
export interface ViewerFrameParts {
  /** The beginning; valid only until the next frame is made, so it must be copied. */
  readonly head: Uint8Array;
  /** The rest, in the message's own bytes; empty if the head is all. */
  readonly tail: Uint8Array;
}

/**
 * As {@linkcode viewerFrame}, without copying the message's bytes.
 *
 * @param msg of any SDK that viewers 0.16 to 0.22 can show
 */
export function viewerFrameParts(msg: LogMsg): ViewerFrameParts | LeftOut {
  const tail = write(msg);
  return typeof tail === "string" ? tail : { head: writer.written, tail };
}

const NOTHING = new Uint8Array();

/** Writes all but the last part, which is returned. */
function write(msg: LogMsg): Uint8Array | LeftOut {
  writer.clear().raw(MAGIC);
  switch (msg.kind) {
    case "SetStoreInfo":
      writer.uvar(0);
      tuid(msg.rowId);
      storeInfo(msg.info, msg.encoded.header.version);
      return sized(NOTHING);
    case "ArrowMsg":
      return arrowFrame(msg);
    case "BlueprintActivationCommand":
      writer.uvar(2);
      storeId(msg.blueprintId);
      writer.bool(msg.makeActive).bool(msg.makeDefault);
      return sized(NOTHING);
    case "UnknownMsg":
      return "unknownKind";
  }
}

function arrowFrame(msg: ArrowMsg): Uint8Array | LeftOut {
  // Checked before anything is inflated.
  if (msg.arrow.uncompressedSize > MAX_VIEWER_FRAME_BYTES) return "tooLarge";
  let ipc: Uint8Array;
  let chunkId: Tuid | undefined;
  let times: readonly TimelineTime[];
  try {
    ipc = msg.ipc();
    chunkId = msg.chunkId ?? readSchema(ipc).chunkId;
    times = msg.timepointMax ?? (msg.isStatic ? [] : readTimepoint(ipc).map(temporal));
  } catch {
    return "unreadable";
  }
  if (chunkId === undefined) return "unreadable";
  writer.uvar(1);
  storeId(msg.storeId);
  tuid(chunkId);
  timepoint(times, msg);
  writer.uvar(ipc.length);
  return sized(ipc);
}

function sized(tail: Uint8Array): Uint8Array | LeftOut {
  return writer.length + tail.length > MAX_VIEWER_FRAME_BYTES ? "tooLarge" : tail;
}

function isBefore(version: RrdVersion, minor: number): boolean {
  return version.major === 0 && version.minor < minor;
}

/**
 * Moves a time as Rerun does when it reads index columns: the smallest value stands for static
 * data, so no time may have it.
 */
function temporal(time: TimelineTime): TimelineTime {
  return time.time === TIME_STATIC ? { ...time, time: TIME_STATIC + 1n } : time;
}

function timepoint(times: readonly TimelineTime[], msg: ArrowMsg): void {
  const hasNoStatic = isBefore(msg.encoded.header.version, 16);
  writer.uvar(times.length);
  for (const { name, type, time } of times) {
    writer.str(name).uvar(type === "time" ? 0 : 1);
    if (time === TIME_STATIC && !hasNoStatic) writer.u8(0);
    else writer.u8(1).ivar(time);
  }
}

function tuid({ timeNs, inc }: Tuid): void {
  writer.uvar(timeNs).uvar(inc);
}

function storeId({ kind, id }: StoreId): void {
  writer.uvar(kind === "Recording" ? 0 : 1).str(id);
}

function storeInfo(info: StoreInfo, version: RrdVersion): void {
  writer.str(info.applicationId);
  storeId(info.storeId);
  if (info.clonedFrom === undefined) writer.u8(0);
  else {
    writer.u8(1);
    storeId(info.clonedFrom);
  }
  writer.bool(info.isOfficialExample).ivar(info.started);
  const source = info.storeSource;
  switch (source.kind) {
    case "Unknown":
      writer.uvar(0);
      break;
    case "CSdk":
      writer.uvar(1);
      break;
    case "PythonSdk":
      writer.uvar(2).u8(source.major).u8(source.minor).u8(source.patch).str(source.suffix);
      break;
    case "RustSdk":
      writer.uvar(3).str(source.rustcVersion).str(source.llvmVersion);
      break;
    case "File":
      writer.uvar(4).uvar(fileSource(source.fileSource, version));
      break;
    case "Viewer":
      writer.uvar(5);
      break;
    case "Other":
      writer.uvar(6).str(source.name);
  }
}

/**
 * The number of a file source; the viewer has the SDK's version, and older ones have no number for
 * a file from a link.
 */
function fileSource(source: FileSource, version: RrdVersion): number {
  const known = isBefore(version, 21) ? FILE_SOURCES : FILE_SOURCES_0_21;
  return Math.max(0, known.indexOf(source));
}
