/**
 * Error codes and errors with which HTTP/2 streams and connections end.
 *
 * @module
 */
import { RerelayError } from "../../base/errors.ts";

/** Error codes of RFC 9113, section 7. */
export const ERROR = {
  NO_ERROR: 0,
  PROTOCOL_ERROR: 1,
  INTERNAL_ERROR: 2,
  FLOW_CONTROL_ERROR: 3,
  SETTINGS_TIMEOUT: 4,
  STREAM_CLOSED: 5,
  FRAME_SIZE_ERROR: 6,
  REFUSED_STREAM: 7,
  CANCEL: 8,
  COMPRESSION_ERROR: 9,
  CONNECT_ERROR: 10,
  ENHANCE_YOUR_CALM: 11,
  INADEQUATE_SECURITY: 12,
  HTTP_1_1_REQUIRED: 13,
} as const;

const NAMES = Object.keys(ERROR);

/** The name of an error code, as `CANCEL`; `code 99` if it has none. */
export function errorName(code: number): string {
  return NAMES[code] ?? `code ${code}`;
}

/** An HTTP/2 connection had to be ended, by us or by the peer. */
export class H2Error extends RerelayError {
  /**
   * Tells by a code of RFC 9113 and a text what the peer did wrong.
   *
   * @param code one of {@linkcode ERROR}
   * @param what is wrong
   * @param options `cause`: what led to it
   */
  constructor(readonly code: number, readonly what: string, options?: ErrorOptions) {
    super(`HTTP/2 ${errorName(code)}: ${what}`, options);
  }
}

/** The peer of an HTTP/2 connection, or the way to it, is dead. */
export class PeerSilent extends RerelayError {
  /**
   * Tells for how long the peer was waited for.
   *
   * @param pingAfterSec seconds without a byte until it was sent a PING
   * @param pingTimeoutSec seconds that it had to answer
   */
  constructor(readonly pingAfterSec: number, readonly pingTimeoutSec: number) {
    super(
      `Nothing came for ${pingAfterSec} s, nor an answer to a PING in another ${pingTimeoutSec} s: ` +
        "the peer, or the network, is gone",
    );
  }
}
