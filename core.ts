/**
 * The server without a runtime: what `@rerelay/server` has, but for `serve`. It needs the Web's
 * globals alone, so it runs at the edge, in browsers and in workers, over a TCP of your own or in
 * memory.
 *
 * @example
 * ```ts
 * import { memoryTcp, Server, silentLog } from "@rerelay/server/core";
 * import { assertEquals } from "@std/assert";
 *
 * const net = memoryTcp(); // or any TcpAdapter, see @rerelay/server/adapters
 * await using server = await Server.listen(net, { port: 9876, log: silentLog });
 * const sdk = net.connect(9876).writable.getWriter();
 * await sdk.write(Uint8Array.of(1, 0, ...new TextEncoder().encode("rerun")));
 * await sdk.close();
 * for await (const { payload } of server) {
 *   assertEquals(payload, { type: "quit" }); // it left without having logged anything
 *   break;
 * }
 * ```
 *
 * @module
 */
export type { CloseOptions } from "./lib/server/options.ts";
export { Server } from "./lib/server/server.ts";
export type { ServerStats } from "./lib/server/server_stats.ts";
export type { ClientStats } from "./lib/server/client_stats.ts";
export type { Feed } from "./lib/server/feed.ts";
export type { CallPeer, Doors } from "./lib/server/doors.ts";
export { KnownMessages } from "./lib/server/known_messages.ts";
export type { ServeOptions } from "./lib/server/options.ts";
export type { PatienceOptions } from "./lib/comms/sdk/patience.ts";
export type { OnBadArrow } from "./lib/encoding/arrow/arrow_guard.ts";
export type { DecodeLimits } from "./lib/encoding/limits.ts";
export * from "./lib/base/log.ts";
export { Readiness, type ReadyCheck, type ReadyReport } from "./lib/base/readiness.ts";
export type { NetAddr } from "./lib/base/net_addr.ts";
export type { Clock } from "./lib/base/clock.ts";
export type { Tally } from "./lib/base/tally.ts";
export { type MemoryClient, type MemoryNet, memoryTcp } from "./lib/adapters/tcp/memory_tcp.ts";

// What is received.
export {
  type MessageSource,
  type SmartMessage,
  type SmartPayload,
  sourceText,
} from "./lib/flow/channel/smart_message.ts";
export * from "./lib/encoding/log_msg.ts";
export * from "./lib/encoding/message_parts.ts";
export { type ArrowData, ArrowMsg } from "./lib/encoding/arrow_msg.ts";
export type { Tuid } from "./lib/encoding/tuid.ts";
export type { RrdHeader, RrdVersion } from "./lib/encoding/rrd_header.ts";

// The stages of the chain, for use alone.
export type { PacketOptions } from "./lib/comms/sdk/packet_reader.ts";
export { PacketStream } from "./lib/comms/sdk/packet_stream.ts";
export { PacketDecodeStream } from "./lib/encoding/rrd/packet_decode_stream.ts";
export type { PacketDecoderOptions } from "./lib/encoding/rrd/packet_decoder.ts";
export type { RrdDecoderOptions } from "./lib/encoding/rrd/rrd_decoder.ts";
export { RrdDecodeStream } from "./lib/encoding/rrd/rrd_decode_stream.ts";
export { ThrottleStream } from "./lib/flow/throttle/throttle_stream.ts";
export { SmartChannel } from "./lib/flow/channel/smart_channel.ts";
export type { SmartChannelOptions } from "./lib/flow/channel/smart_channel_options.ts";
export {
  CongestionManager,
  type CongestionManagerOptions,
  type DropCause,
  type DropCounts,
  type ThrottleRules,
  type Verdict,
} from "./lib/flow/throttle/congestion_manager.ts";
export type { QueueLoad } from "./lib/flow/throttle/throttle.ts";
export type { Step, StepResult } from "./lib/base/step.ts";

export { type ChainOptions, pipeClient } from "./lib/pipeline.ts";
export type { ChannelSender } from "./lib/flow/channel/channel_sender.ts";

// Why the server could not listen, and why a client was left.
export {
  ClientIsNewer,
  ClientIsOlder,
  CorruptArrow,
  HandshakeTimeout,
  IdleTimeout,
  InvalidMessage,
  MessageLimit,
  MessageTooLarge,
  PacketTimeout,
  PacketTooLarge,
  PacketTooSlow,
  ReceiverTaken,
  RerelayError,
  type SeemsLike,
  TcpBindError,
  TooManyClients,
  TruncatedHandshake,
  TruncatedPacket,
  UnfinishedPacketsLimit,
  UnknownClient,
} from "./lib/base/errors.ts";
