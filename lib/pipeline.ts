/**
 * The whole way of the data, from a client's socket to the receiver:
 *
 * ```text
 * bytes → handshake, packets → log messages → those that may pass → smart channel → receiver
 * ```
 *
 * Every stage is a pure step (`comms/`, `encoding/`, `flow/`); `ReceiveStep` is all of them, and one
 * loop a client pushes into it what one read of the socket gave. An error is the last thing to come:
 * all that came before it is delivered before. The stages are streams too, for use alone.
 *
 * @module
 */
import type { TcpConnection } from "./adapters/tcp/types.ts";
import type { ChannelSender } from "./flow/channel/channel_sender.ts";
import type { LogMsg } from "./encoding/log_msg.ts";
import { type ReceiveOptions, ReceiveStep } from "./receive_step.ts";
import type { StepResult } from "./base/step.ts";

/** What the server wants to be told of a client, and the limits it sets. */
export interface PipelineOptions extends ReceiveOptions {
  /** Bytes are asked for. */
  onAsk(): void;
  /** So many came; none if the connection is over. */
  onAnswer(bytes: number): void;
  /** The connection is over: the reason, where it was we who ended it for one. */
  onEnd(): Error | undefined;
  /** The client is left for this reason; called before anybody else hears of it. */
  onError(error: Error): void;
  /** These messages go into the channel. */
  onMessages(msgs: readonly LogMsg[]): void;
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
  const step = new ReceiveStep(options, sender);
  const read = readerOf(connection);
  for (;;) {
    let answer: Answer;
    const room = options.packets.room();
    options.onAsk();
    try {
      answer = await read(room);
    } catch (thrown) {
      answer = thrown instanceof Error ? thrown : new Error(String(thrown));
    }
    options.onAnswer(answer instanceof Uint8Array ? answer.length : 0);
    const packetsBefore = options.packets.packets;
    const { items, error } = workOff(answer, step, options);
    if (answer instanceof Uint8Array && options.packets.packets === packetsBefore) {
      // It was copied where the packet is put together.
      connection.giveBack?.(answer);
    }
    if (items.length > 0) {
      options.onMessages(items);
      const mayGoOn = sender.send(items);
      options.packets.settle();
      // Nothing follows an error, so there is nothing to wait for.
      if (mayGoOn !== undefined && error === undefined) await mayGoOn;
    }
    if (!(answer instanceof Uint8Array) || error !== undefined) {
      if (error !== undefined) options.onError(error);
      sender.quit(error);
      return error;
    }
  }
}

/** Bytes, how the connection broke, or nothing where it ended in peace. */
type Answer = Uint8Array | Error | undefined;

function workOff(answer: Answer, step: ReceiveStep, options: PipelineOptions): StepResult<LogMsg> {
  if (answer instanceof Uint8Array) return step.push(answer);
  const error = answer ?? options.onEnd();
  return error === undefined ? step.finish() : { items: [], error };
}

type Read = (into?: Uint8Array<ArrayBuffer>) => Promise<Uint8Array | undefined>;

/** Reads without a stream where the connection can. */
function readerOf(connection: TcpConnection): Read {
  if (connection.read !== undefined) return (into) => connection.read!(into);
  const reader = connection.readable.getReader();
  return async () => (await reader.read()).value;
}
