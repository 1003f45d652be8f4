/**
 * A headless server for Rerun logging SDKs.
 *
 * @module
 */
export { serve } from "./lib/server/serve.ts";
export { type CloseOptions, Server } from "./lib/server/server.ts";
export type { Count, ServerStats } from "./lib/server/server_stats.ts";
export type { ClientStats } from "./lib/server/reception.ts";
export type { PatienceOptions } from "./lib/comms/sdk/patience.ts";
export type { CallPeer, Doors } from "./lib/server/doors.ts";
export type { ServeOptions } from "./lib/server/options.ts";
export type { OnBadArrow } from "./lib/encoding/arrow/arrow_guard.ts";
export type { DecodeLimits } from "./lib/encoding/limits.ts";
export { type LimitedLog, limitedLog } from "./lib/base/limited_log.ts";
export * from "./lib/base/log.ts";
export * from "./lib/base/errors.ts";

export type { NetAddr } from "./lib/base/net_addr.ts";
export type * from "./lib/adapters/files/types.ts";
export type * from "./lib/adapters/http/types.ts";
export type * from "./lib/adapters/process/types.ts";
export type * from "./lib/adapters/tcp/types.ts";
export { type MemoryClient, type MemoryNet, memoryTcp } from "./lib/adapters/tcp/memory_tcp.ts";

export type { PacketOptions } from "./lib/comms/sdk/packet_reader.ts";
export { PacketStream } from "./lib/comms/sdk/packet_stream.ts";

export * from "./lib/encoding/log_msg.ts";
export { type ArrowData, ArrowMsg } from "./lib/encoding/arrow_msg.ts";
export { type RrdHeader, type RrdVersion, rrdVersionText } from "./lib/encoding/rrd/rrd_header.ts";
export { RrdDecoder, type RrdDecoderOptions } from "./lib/encoding/rrd/rrd_decoder.ts";
export { RrdDecodeStream } from "./lib/encoding/rrd/rrd_decode_stream.ts";
export { Tuid } from "./lib/encoding/tuid.ts";
export type { Step, StepResult } from "./lib/base/step.ts";
export { StepStream } from "./lib/base/step_stream.ts";

export * from "./lib/flow/channel/smart_message.ts";
export { BufferPool, isReused } from "./lib/memory/buffer_pool.ts";
export { SmartChannel, type SmartChannelOptions } from "./lib/flow/channel/smart_channel.ts";
export {
  CongestionManager,
  type CongestionManagerOptions,
  type DropCause,
  type DropCount,
  type DropCounts,
  type ThrottleRules,
  type Verdict,
} from "./lib/flow/throttle/congestion_manager.ts";
export type { QueueLoad } from "./lib/flow/throttle/throttle.ts";
export { ThrottleStream } from "./lib/flow/throttle/throttle_stream.ts";
export type { ChannelSender } from "./lib/flow/channel/channel_sender.ts";
