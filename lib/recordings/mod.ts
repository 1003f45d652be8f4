/**
 * Recordings as files: reads their messages, over damage if need be, counts what is in them, and
 * merges several into one.
 *
 * @module
 */
export { type ChunkSummary, type ChunkTimeline, summarize } from "./chunk_summary.ts";
export { RrdDamage, type RrdMessage, type RrdPart } from "../encoding/rrd/part.ts";
export { openRrd, type OpenRrdOptions, readRrd, type RrdReader } from "./reader.ts";
export { type RrdLoss, RrdReport } from "./report.ts";
export { RrdScanner, type RrdScannerOptions } from "../encoding/rrd/scanner.ts";
export {
  type RecordingStatistics,
  RrdStatistics,
  TABLE_LIMITS,
  type TableLimits,
  type TimelineRange,
} from "./statistics.ts";
export type { RunningTally } from "../base/tally.ts";
export { RrdConcat } from "../encoding/rrd/rrd_concat.ts";
