/** The chain of `lib/pipeline.ts` for a connection: what the loop beside it must equal. */
import type { TcpConnection } from "../lib/adapters/tcp/types.ts";
import type { ChannelSender } from "../lib/flow/channel/channel_sender.ts";
import { pipeClient, type PipelineOptions } from "../lib/pipeline.ts";

/** Takes in all that a client sends. */
export function receiveStreamed(
  connection: TcpConnection,
  sender: ChannelSender,
  options: PipelineOptions & { readonly maxPacketBytes: number },
): Promise<Error | undefined> {
  return pipeClient(endingWith(connection.readable, options.onEnd), sender, {
    ...options.limits,
    maxPacketBytes: options.maxPacketBytes,
    onBadArrow: options.onBadArrow,
    onCorrupt: options.onCorrupt,
    onPacket: options.onPacket,
    onHeader: options.onHeader,
    congestion: options.congestion,
  });
}

/** Where we end a connection, its bytes end with our reason. */
function endingWith(
  source: ReadableStream<Uint8Array>,
  verdict: () => Error | undefined,
): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (!done) return controller.enqueue(value);
      const error = verdict();
      if (error === undefined) controller.close();
      else controller.error(error);
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}
