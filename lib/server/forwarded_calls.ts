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
    const { settled, confirm, known } = this.#options;
    const confirmed = confirm();
    return {
      fresh: (msgs) => msgs.filter((msg) => known.add(msg)),
      async kept() {
        await settled();
        await confirmed();
      },
      forget: () => known.clear(),
    };
  }
}

/** One call of a Rerelay that forwards. */
export interface ForwardedCall {
  /** Leaves out what came before, or was sent by this program. */
  fresh(msgs: readonly LogMsg[]): LogMsg[];
  /** Resolves when all messages of the call are received, and kept for good. */
  kept(): Promise<void>;
  /** Says that what came may not be kept, so that it is taken when it comes again. */
  forget(): void;
}

/**
 * Waits until the messages of a call are kept.
 *
 * @throws {GrpcError} if they are not, so that they are sent again
 */
export async function waitUntilKept(call: ForwardedCall): Promise<void> {
  try {
    await call.kept();
  } catch (error) {
    call.forget();
    throw new GrpcError(STATUS.UNAVAILABLE, `It could not be kept: ${reason(error)}`);
  }
}
