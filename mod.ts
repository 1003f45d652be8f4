/**
 * A headless server for Rerun logging SDKs.
 *
 * @module
 */
export { serve } from "./lib/serve.ts";
export { type CloseOptions, type Count, Server, type ServerStats } from "./lib/server.ts";
export type { ClientStats } from "./lib/clients/client.ts";
export type { PatienceOptions } from "./lib/comms/patience.ts";
export type { ServeOptions } from "./lib/options.ts";
export type { OnBadArrow } from "./lib/arrow_guard.ts";
export type { DecodeLimits } from "./lib/encoding/limits.ts";
export { type LimitedLog, limitedLog } from "./lib/limited_log.ts";
export * from "./lib/log.ts";
export * from "./lib/errors.ts";

export type * from "./lib/adapters/types.ts";
export { type MemoryClient, type MemoryNet, memoryTcp } from "./lib/adapters/memory_tcp.ts";

export type { PacketOptions } from "./lib/comms/packet_reader.ts";
export { PacketStream } from "./lib/comms/packet_stream.ts";

export * from "./lib/log_msg.ts";
export { type ArrowData, ArrowMsg } from "./lib/encoding/arrow_msg.ts";
export { type RrdHeader, type RrdVersion, rrdVersionText } from "./lib/encoding/rrd_header.ts";
export { RrdDecoder, type RrdDecoderOptions } from "./lib/encoding/rrd_decoder.ts";
export { RrdDecodeStream } from "./lib/encoding/rrd_decode_stream.ts";
export { Tuid } from "./lib/encoding/tuid.ts";
export type { Step, StepResult } from "./lib/step.ts";
export { StepStream } from "./lib/step_stream.ts";

export * from "./lib/flow/smart_message.ts";
export { BufferPool, isReused } from "./lib/flow/buffer_pool.ts";
export { SmartChannel, type SmartChannelOptions } from "./lib/flow/smart_channel.ts";
export {
  CongestionManager,
  type CongestionManagerOptions,
  type DropCause,
  type DropCount,
  type DropCounts,
  type ThrottleRules,
  type Verdict,
} from "./lib/flow/congestion_manager.ts";
export type { QueueLoad } from "./lib/flow/throttle.ts";
export { ThrottleStream } from "./lib/flow/throttle_stream.ts";
export type { ChannelSender } from "./lib/flow/channel_sender.ts";
