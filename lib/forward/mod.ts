/**
 * Forwarding: followers of a file sink, and the targets to which they send what was saved.
 *
 * @module
 */
export { forwardTo } from "./forward_to.ts";
export type { ForwardFollower } from "./forward_to.ts";
export type { ForwarderOptions } from "./delivery.ts";
export type { ForwardStats } from "./counts.ts";
export { grpcTarget } from "./grpc_target.ts";
export type { GrpcTargetOptions } from "./grpc_target.ts";
export { openTarget, type OpenTargetOptions } from "./open_target.ts";
export { TargetRefused, TargetUnfit } from "./target.ts";
export type {
  BatchLimits,
  CheckedTarget,
  ClosedFile,
  FileTarget,
  ForwardBatch,
  ForwardedMessage,
  ForwardTarget,
  MessageTarget,
} from "./target.ts";
export type { FileFollower, FollowedFiles } from "../sinks/file/parts/follower.ts";
