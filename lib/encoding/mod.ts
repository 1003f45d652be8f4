/**
 * Reading and writing what SDKs send: RRD streams, and the log messages in them.
 *
 * @module
 */
export { checkArrow, checkArrowIpc, type CheckArrowOptions } from "./arrow/arrow_check.ts";
export {
  type ArrowField,
  type ArrowSchema,
  type ArrowTypeName,
  readSchema,
  rerunTag,
} from "./arrow/arrow_ipc.ts";
export * from "./arrow_msg.ts";
export type {
  Chunk,
  ChunkColumn,
  ChunkComponent,
  ChunkTimes,
  Numbers,
  TimelineType,
} from "./chunks/chunk.ts";
export { chunk, chunks } from "./chunks/chunks.ts";
export type { ComponentValues, ImageFormatValue } from "./chunks/component_types.ts";
export { type DecodedImage, imageOf } from "./chunks/image.ts";
export {
  byEntity,
  type EntityCount,
  type Logged,
  type LoggedSource,
  type TimedValue,
  type ValueOf,
  values,
  type ValuesOptions,
} from "./chunks/values.ts";
export { MAX_VIEWER_FRAME_BYTES, viewerFrame } from "./bincode/bincode_log_msg.ts";
export type { LeftOut } from "./bincode/bincode_log_msg.ts";
export type { DecodeLimits } from "./limits.ts";
export * from "./rrd/rrd_decode_stream.ts";
export * from "./rrd/rrd_decoder.ts";
export * from "./rrd/rrd_encode.ts";
export {
  compareVersions,
  decodeRrdHeader,
  RRD_HEADER_BYTES,
  type RrdHeader,
  type RrdVersion,
  rrdVersionText,
} from "./rrd_header.ts";
export { Tuid } from "./tuid.ts";
export {
  InvalidMessage,
  MessageLimit,
  MessageTooLarge,
  NotAnRrd,
  OldRrdVersion,
  RerelayError,
  TruncatedRrd,
  UnknownRrdOptions,
} from "../base/errors.ts";
export type { Step, StepResult } from "../base/step.ts";
export { StepStream } from "../base/step_stream.ts";
