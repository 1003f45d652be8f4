/**
 * Where received messages go: files, and the fan-out that feeds several sinks.
 *
 * @example
 * ```ts
 * import { fanOut, memoryFiles, rrdFileSink } from "@rerelay/server/sinks";
 * import { assertEquals } from "@std/assert";
 *
 * const files = memoryFiles(); // left out: the disk, by the runtime it runs on
 * const sink = await rrdFileSink({ path: "recording.rrd", files });
 * const receiver = fanOut([sink]);
 * await receiver.receive((async function* () {})()); // here: server.batches()
 * await receiver.close();
 * assertEquals(sink.lost, { messages: 0, bytes: 0 });
 * ```
 *
 * @module
 */
export { fanOut } from "./fan_out.ts";
export type { FanOut, SinkStats } from "./fan_out.ts";
export { filterSink } from "./filter_sink.ts";
export { rrdFileSink } from "./file/rrd_file.ts";
export type { RrdFileSink, RrdFileSinkOptions } from "./file/sink_options.ts";
export type { FileFollower, FollowedFiles } from "./file/parts/follower.ts";
export type { SavedFile } from "./file/saved_files.ts";
export { parseSavePattern, renderName } from "./file/save_pattern.ts";
export type { NameValues, Placeholder, SavePattern } from "./file/save_pattern.ts";
export type { Keep } from "./file/parts/part_list.ts";
export type { Rotation } from "./file/rotation.ts";
export type { SyncMode } from "./file/writer/syncer.ts";
export type { NotOpened, OpenedFile, Removal, Shelf, ShelvedFile } from "../recordings/shelf.ts";
export { Shelves } from "../recordings/shelf.ts";
export type { Sink } from "./sink.ts";
export type { Clock } from "../base/clock.ts";
export type { Tally } from "../base/tally.ts";
export { memoryFiles } from "../adapters/files/memory_files.ts";
export type { FileHook, FileOperation, MemoryFiles } from "../adapters/files/memory_files.ts";
export type { FileAdapter, FileKind, FileMode, WritableFile } from "../adapters/files/types.ts";
export type { ParkedFile } from "../adapters/files/types.ts";
export type { ProcessAdapter } from "../adapters/process/types.ts";
export { FileExists, FileGone, FileTooLarge, PartExists, SaveLocked } from "../base/errors.ts";
export type { FileReadAdapter, FileWriteAdapter, ReadableFile } from "../adapters/files/types.ts";
