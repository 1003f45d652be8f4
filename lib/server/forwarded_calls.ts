/**
 * Calls by which another Rerelay forwards what it has saved: what came before is left out, and the
 * answer says that what came is kept.
 *
 * @module
 */
import { reason } from "../base/errors.ts";
import { GrpcError, STATUS } from "../comms/grpc/status.ts";
import type { LogMsg } from "../encoding/log_msg.ts";
import type { KnownMessages } from "./known_messages.ts";

/** The metadata by which such a call asks for an answer only once its messages are kept. */
const ACK_HEADER = "rerelay-ack";

/** What {@linkcode ForwardedCalls} work with. */
export interface ForwardedCallsOptions {
  /** Resolves when all that was sent before was received, and the receiver has asked for more. */
  readonly settled: () => Promise<void>;
  /** The option `confirm` of `serve`. */
  readonly confirm: () => () => Promise<void>;
  /** The option `known` of `serve`. */
  readonly known: KnownMessages;
}

/** All such calls of a server, which share what they remember. */
export class ForwardedCalls {
  readonly #options: ForwardedCallsOptions;
  /** How to ask whether what came of a call is kept, of those whose messages may still be lost. */
  readonly #open = new Map<number, () => Promise<void>>();

  constructor(options: ForwardedCallsOptions) {
    this.#options = options;
  }

  /**
   * A call begins.
   *
   * @param headers of the request
   * @returns the call; `undefined` if it is an SDK's
   * @throws {GrpcError} if it asks for an acknowledgement that we do not know
   */
  begin(headers: ReadonlyMap<string, string>): ForwardedCall | undefined {
    const ack = headers.get(ACK_HEADER);
    if (ack === undefined) return undefined;
    if (ack !== "synced") {
      const text = `${ACK_HEADER} may be "synced", and nothing else`;
      throw new GrpcError(STATUS.INVALID_ARGUMENT, text);
    }
    const { confirm, known } = this.#options;
    const call = known.beginCall();
    const confirmed = confirm();
    this.#open.set(call, confirmed);
    // What is left out, since it came by another call, must be kept as well before this one is answered,
    // though that other call may be over by then.
    const confirms = new Set([confirmed]);
    return {
      fresh: (msgs) =>
        msgs.filter((msg) => {
          const before = known.came(msg, call);
          if (before === undefined) return true;
          const other = this.#open.get(before);
          if (other !== undefined) confirms.add(other);
          return false;
        }),
      kept: () => this.#kept(call, confirms),
    };
  }

  async #kept(call: number, confirms: ReadonlySet<() => Promise<void>>): Promise<void> {
    try {
      await this.#options.settled();
      await Promise.all([...confirms].map((confirmed) => confirmed()));
    } catch (error) {
      // All that came by it is taken when it comes again.
      this.#options.known.forget(call);
      throw new GrpcError(STATUS.UNAVAILABLE, `It could not be kept: ${reason(error)}`);
    } finally {
      this.#open.delete(call);
    }
  }
}

/** One call of a Rerelay that forwards. */
export interface ForwardedCall {
  /** Leaves out what came before, or was sent by this program. */
  fresh(msgs: readonly LogMsg[]): LogMsg[];
  /**
   * Resolves when all messages of the call are received, and kept for good; to be called once, also for a
   * call that was cut off.
   *
   * @throws {GrpcError} if they are not: they are taken when they come again
   */
  kept(): Promise<void>;
}
