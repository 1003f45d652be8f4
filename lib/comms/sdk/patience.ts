/**
 * How long a client may keep us waiting.
 *
 * @module
 */
import { HandshakeTimeout, IdleTimeout, PacketTimeout, PacketTooSlow } from "../../base/errors.ts";

/** Where a client stands, and how long it has kept us waiting there. */
export interface Waiting {
  /** Inside the handshake, between two packets, or inside one. */
  readonly where: "handshake" | "between" | "packet";
  /** How long we have waited for bytes at this place in all, in milliseconds. */
  readonly waitedMs: number;
  /** How long we have waited since bytes came last, in milliseconds. */
  readonly silentMs: number;
  /** Bytes that came of the handshake or of the packet. */
  readonly bytes: number;
  /** For how many milliseconds more the packet may keep us waiting; below 0 it is too slow. */
  readonly creditMs: number;
}

/** Deadlines, in seconds. */
export interface PatienceOptions {
  /** For the whole handshake; default 10. */
  readonly handshakeTimeoutSec?: number;
  /** Without a byte inside a packet; default 60. */
  readonly packetTimeoutSec?: number;
  /** Without a byte between packets; default infinity, for robots pause. */
  readonly idleTimeoutSec?: number;
  /** Bytes a second inside a packet, once it has kept us waiting for 30 s; default 1024. */
  readonly minPacketBytesPerSec?: number;
}

/** How long a packet may keep us waiting however slow it is, in milliseconds. */
const GRACE_MS = 30_000;

/**
 * How long a packet may still keep us waiting after bytes came, in milliseconds. Bytes that came
 * fast earn credit for a later pause, but for no more than one deadline.
 *
 * @param bytes that came
 * @param options deadlines
 * @param leftMs what was left before; a packet begins with its grace
 */
export function credit(
  bytes: number,
  { minPacketBytesPerSec, packetTimeoutSec }: Required<PatienceOptions>,
  leftMs: number = GRACE_MS,
): number {
  const mostMs = Math.max(GRACE_MS, packetTimeoutSec * 1000);
  return Math.min(mostMs, leftMs + bytes / minPacketBytesPerSec * 1000);
}

/**
 * The error for a client that has kept us waiting for too long; `undefined` if it has not.
 *
 * Only time in which we asked for bytes counts: a client that we paused is never cut off for it.
 *
 * @param waiting where it stands
 * @param options deadlines
 */
export function overdue(waiting: Waiting, options: Required<PatienceOptions>): Error | undefined {
  const { where, bytes, creditMs } = waiting;
  const waitedSec = waiting.waitedMs / 1000;
  const silentSec = waiting.silentMs / 1000;
  const { handshakeTimeoutSec, packetTimeoutSec, idleTimeoutSec, minPacketBytesPerSec } = options;
  if (where === "handshake") {
    return waitedSec < handshakeTimeoutSec
      ? undefined
      : new HandshakeTimeout(bytes, handshakeTimeoutSec);
  }
  if (where === "between") {
    return silentSec < idleTimeoutSec ? undefined : new IdleTimeout(idleTimeoutSec);
  }
  if (silentSec >= packetTimeoutSec) return new PacketTimeout(bytes, packetTimeoutSec);
  return creditMs < 0 ? new PacketTooSlow(bytes, waitedSec, minPacketBytesPerSec) : undefined;
}
