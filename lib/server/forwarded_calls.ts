/**
 * Calls by which another Rerelay sends on what it has saved: what comes again is left out, and the answer
 * says that what came is kept.
 *
 * @module
 */
import { reason } from "../base/errors.ts";
import { GrpcError, STATUS } from "../comms/grpc/status.ts";
import type { LogMsg } from "../encoding/log_msg.ts";
import { RecentChunks } from "./recent_chunks.ts";

/** What such a call asks for in its metadata. */
const ACK_HEADER = "rerelay-ack";

/** What they work with. */
export interface ForwardedCallsOptions {
  /** Resolves when all that was sent before was received, and done with. */
  readonly settled: () => Promise<void>;
  /** See the option of `serve`. */
  readonly confirm: () => () => Promise<void>;
}

/** What such calls share. */
export class ForwardedCalls {
  readonly #options: ForwardedCallsOptions;
  readonly #chunks = new RecentChunks();

  constructor(options: ForwardedCallsOptions) {
    this.#options = options;
  }

  /**
   * A call begins.
   *
   * @param headers of the request
   * @returns `undefined` if it is that of an SDK
   * @throws {GrpcError} if it asks for something else than we can give
   */
  begin(headers: ReadonlyMap<string, string>): ForwardedCall | undefined {
    const ack = headers.get(ACK_HEADER);
    if (ack === undefined) return undefined;
    if (ack !== "synced") {
      const text = `${ACK_HEADER} may be "synced", and nothing else`;
      throw new GrpcError(STATUS.INVALID_ARGUMENT, text);
    }
    const { settled, confirm } = this.#options;
    const confirmed = confirm();
    return {
      fresh: (msgs) => msgs.filter((msg) => msg.kind !== "ArrowMsg" || !this.#chunks.has(msg)),
      async kept() {
        await settled();
        await confirmed();
      },
      forget: () => this.#chunks.clear(),
    };
  }
}

/** One such call. */
export interface ForwardedCall {
  /** Without the chunks that came before. */
  fresh(msgs: readonly LogMsg[]): LogMsg[];
  /** Resolves when all of it is received, and kept for good. */
  kept(): Promise<void>;
  /** What came of it may not be kept: it is taken when it comes again. */
  forget(): void;
}

/**
 * Waits until a call is kept.
 *
 * @throws {GrpcError} if it is not, so that it comes again
 */
export async function waitUntilKept(call: ForwardedCall): Promise<void> {
  try {
    await call.kept();
  } catch (error) {
    call.forget();
    throw new GrpcError(STATUS.UNAVAILABLE, `It could not be kept: ${reason(error)}`);
  }
}
