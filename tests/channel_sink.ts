import type { LogMsg } from "../lib/encoding/log_msg.ts";
import type { StepResult } from "../lib/base/step.ts";
import type { ChannelSender } from "../lib/flow/channel/channel_sender.ts";

/** The end of a client's way: its messages go into the channel, and its leave after them. */
export class ChannelSink implements UnderlyingSink<StepResult<LogMsg>> {
  /** Why the client was left. */
  error: Error | undefined;
  readonly #sender: ChannelSender;
  readonly #onMessages: (msgs: readonly LogMsg[]) => void;

  constructor(sender: ChannelSender, onMessages: (msgs: readonly LogMsg[]) => void) {
    this.#sender = sender;
    this.#onMessages = onMessages;
  }

  /** Resolves when the client may send more. */
  write({ items, error }: StepResult<LogMsg>): Promise<void> | void {
    this.error ??= error;
    this.#onMessages(items);
    const room = this.#sender.send(items);
    // Nothing follows an error, so there is nothing to wait for.
    return error === undefined ? room : undefined;
  }

  close(): void {
    this.#sender.quit(this.error);
  }
}
