/**
 * The whole way of the data, from a client's socket to the receiver:
 *
 * ```text
 * bytes → handshake, packets → log messages → those that may pass → smart channel → receiver
 * ```
 *
 * Between the stages travels what one read of the socket gave. Every stage is a pure step (`comms/`,
 * `encoding/`, `flow/`) under a thin stream; errors travel along as the last item, so that all that
 * came before one is delivered before it.
 *
 * @module
 */
import type { TcpConnection } from "./adapters/types.ts";
import type { PacketReader } from "./comms/packet_reader.ts";
import { PacketDecoder } from "./encoding/packet_decoder.ts";
import type { RrdHeader } from "./encoding/rrd_header.ts";
import { ChannelSink } from "./flow/channel_sink.ts";
import type { ChannelSender } from "./flow/channel_sender.ts";
import { each, inBand, type ReadObserver, stage } from "./in_band.ts";
import type { CongestionManager } from "./flow/congestion_manager.ts";
import { Throttle } from "./flow/throttle.ts";
import type { LogMsg } from "./log_msg.ts";

/** What the server wants to be told of a client, and the limits it sets. */
export interface PipelineOptions extends ReadObserver {
  /** Cuts the bytes into packets. */
  readonly packets: PacketReader;
  readonly maxMessageBytes: number;
  /** Decides what to drop so that what passes stays fresh. */
  readonly congestion: CongestionManager;
  /** A packet of so many bytes is whole. */
  readonly onPacket: (bytes: number) => void;
  /** An RRD header came that differs from the one before. */
  readonly onHeader: (header: RrdHeader) => void;
  /** These messages go into the channel. */
  readonly onMessages: (msgs: readonly LogMsg[]) => void;
}

/**
 * Takes in all that a client sends, until it leaves or something is wrong with it.
 *
 * @param connection of the client
 * @param sender the client's end of the smart channel
 * @param options limits and callbacks
 * @returns why the client was left, `undefined` if it left gracefully; never rejects for what a peer does
 */
export async function receiveClient(
  connection: TcpConnection,
  sender: ChannelSender,
  options: PipelineOptions,
): Promise<Error | undefined> {
  const sink = new ChannelSink(sender, options.onMessages);
  await inBand(connection.readable, options)
    .pipeThrough(stage(each(options.packets)))
    .pipeThrough(stage(each(new PacketDecoder(options))))
    .pipeThrough(stage(new Throttle(options.congestion, sender)))
    .pipeTo(new WritableStream(sink));
  return sink.error;
}
