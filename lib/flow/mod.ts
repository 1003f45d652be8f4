/**
 * What lies between the decoders and the receiver: the congestion rules and the smart channel.
 *
 * @module
 */
export { BufferPool, isReused } from "../memory/buffer_pool.ts";
export type { ChannelSender } from "./channel/channel_sender.ts";
export { MIN_ACCEPT_RATE } from "./throttle/accept_rate.ts";
export * from "./throttle/congestion_manager.ts";
export * from "./channel/smart_channel.ts";
export { CHANNEL_LIMIT_BYTES, type SmartChannelOptions } from "./channel/smart_channel_options.ts";
export * from "./channel/smart_message.ts";
export type { Clock } from "../base/clock.ts";
export type { Tally } from "../base/tally.ts";
export type { QueueLoad } from "./throttle/throttle.ts";
export * from "./throttle/throttle_stream.ts";
export type { Step, StepResult } from "../base/step.ts";
export { StepStream } from "../base/step_stream.ts";
