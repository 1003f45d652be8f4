/** The pipeline in its plain form, a stream a stage: what the one loop of `lib/pipeline.ts` must equal. */
import type { TcpConnection } from "../lib/adapters/tcp/types.ts";
import { PacketDecoder } from "../lib/encoding/rrd/packet_decoder.ts";
import type { ChannelSender } from "../lib/flow/channel/channel_sender.ts";
import { Throttle } from "../lib/flow/throttle/throttle.ts";
import type { PipelineOptions } from "../lib/pipeline.ts";
import { ChannelSink } from "./channel_sink.ts";
import { each, inBand, stage } from "./in_band.ts";

/** Takes in all that a client sends. */
export async function receiveStreamed(
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
