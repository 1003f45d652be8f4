/**
 * What lies between the decoders and the receiver: the congestion rules and the smart channel.
 *
 * @module
 */
export * from "./accept_rate.ts";
export { BufferPool, isReused } from "./buffer_pool.ts";
export type { ChannelSender } from "./channel_sender.ts";
export * from "./congestion_manager.ts";
export * from "./smart_channel.ts";
export * from "./smart_message.ts";
export type { QueueLoad } from "./throttle.ts";
export * from "./throttle_stream.ts";
export type { Step, StepResult } from "../step.ts";
export { StepStream } from "../step_stream.ts";
