/**
 * How long a client may keep us waiting.
 *
 * @module
 */
import { HandshakeTimeout, IdleTimeout, PacketTimeout } from "../errors.ts";

/** Where a client stands, and how long it has kept us waiting there. */
export interface Waiting {
  /** Inside the handshake, between two packets, or inside one. */
  readonly where: "handshake" | "between" | "packet";
  /** Milliseconds in all that we asked for bytes here and got none. */
  readonly waitedMs: number;
  /** The same since bytes came last. */
  readonly silentMs: number;
  /** Bytes that came of the handshake or of the packet. */
  readonly bytes: number;
}

/** Deadlines, in seconds. */
export interface PatienceOptions {
  /** For the whole handshake; default 10. */
  readonly handshakeTimeoutSec?: number;
  /** Without a byte inside a packet; default 60. */
  readonly packetTimeoutSec?: number;
  /** Without a byte between packets; default infinity, for robots pause. */
  readonly idleTimeoutSec?: number;
}

/** The least pace inside a packet in bytes a second, and after how many seconds it counts. */
const SLOWEST = { bytesPerSec: 1024, graceSec: 30 };

/**
 * Why a client has to go, if it has kept us waiting for too long.
 *
 * Only time in which we asked for bytes counts: a client that we paused is never cut off for it.
 *
 * @param waiting where it stands
 * @param options deadlines
 */
export function overdue(waiting: Waiting, options: Required<PatienceOptions>): Error | undefined {
  const { where, bytes } = waiting;
  const waitedSec = waiting.waitedMs / 1000;
  const silentSec = waiting.silentMs / 1000;
  const { handshakeTimeoutSec, packetTimeoutSec, idleTimeoutSec } = options;
  if (where === "handshake") {
    return waitedSec < handshakeTimeoutSec
      ? undefined
      : new HandshakeTimeout(bytes, handshakeTimeoutSec);
  }
  if (where === "between") {
    return silentSec < idleTimeoutSec ? undefined : new IdleTimeout(idleTimeoutSec);
  }
  const slow = waitedSec > SLOWEST.graceSec && bytes / waitedSec < SLOWEST.bytesPerSec;
  if (silentSec < packetTimeoutSec && !slow) return undefined;
  return new PacketTimeout(bytes, waitedSec, packetTimeoutSec);
}
