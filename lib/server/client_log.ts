/**
 * What the log says of a client: that its version is new, and why it left.
 *
 * @module
 */
import {
  CorruptArrow,
  HandshakeTimeout,
  InvalidMessage,
  MessageLimit,
  MessageTooLarge,
  NotAnRrd,
  OldRrdVersion,
  reason,
  RerelayError,
  TruncatedHandshake,
  TruncatedPacket,
  TruncatedRrd,
  UnknownClient,
  UnknownRrdOptions,
} from "../base/errors.ts";
import { CallCut } from "../comms/grpc/status.ts";
import type { Log } from "../base/log.ts";

/** Errors about what is inside a packet. */
const IN_PACKET = [
  CorruptArrow,
  InvalidMessage,
  MessageTooLarge,
  NotAnRrd,
  OldRrdVersion,
  TruncatedRrd,
  UnknownRrdOptions,
] as const;

/** Whether an error is about the content of a packet, and not about the stream of packets. */
export function isInPacket(error: Error): boolean {
  return IN_PACKET.some((kind) => error instanceof kind);
}

/**
 * Writes why a client left, or why we closed it.
 *
 * @param log limited
 * @param addr the client's
 * @param error the reason
 * @param messages messages that came before, if it is a call
 */
export function logLeft(log: Log, addr: string, error: Error, messages?: number): void {
  const byteOffset = error instanceof RerelayError ? error.byteOffset : undefined;
  const kind = error instanceof MessageLimit ? `${error.name} ${error.option}` : error.name;
  const fields = { client: addr, kind, byteOffset };
  // Other calls of its connection go on.
  const closing = messages === undefined
    ? `Closing connection to client at ${addr}`
    : `Ending the call of the client at ${addr}`;
  if (error instanceof HandshakeTimeout && error.receivedBytes === 0) {
    // A probe of the port that did not hang up: it is worth no more than one that did.
    log.write("debug", `${closing}: ${error.message}`, fields);
  } else if (error instanceof UnknownClient) {
    const text = `Rejected incoming connection from unknown client at ${addr}: ${error.message}`;
    // A scan of all ports of a machine causes at most one line a second.
    log.write("warn", text, { ...fields, kind: `${kind} ${error.seemsLike ?? "other"}` });
  } else if (error instanceof CallCut) {
    const level = error.isInMessage ? "warn" : "info";
    log.write(level, `Client at ${addr} left early: ${error.message}`, fields);
  } else if (error instanceof TruncatedHandshake || error instanceof TruncatedPacket) {
    log.write("warn", `Client at ${addr} left early: ${error.message}`, fields);
  } else {
    const where = !isInPacket(error)
      ? ""
      : messages === undefined
      ? `, in its packet at byte ${byteOffset}`
      : `, in its message ${messages + 1}`;
    log.write("warn", `${closing}${where}: ${reason(error)}`, fields);
  }
}

/**
 * Versions that are remembered; when a peer has named more of them, further ones are not warned of.
 */
const MAX_VERSIONS = 100;

/** Makes a function that tells of each version whether it is seen for the first time. */
export function newVersions(): (version: string) => boolean {
  const seen = new Set<string>();
  return (version) => {
    if (seen.has(version) || seen.size >= MAX_VERSIONS) return false;
    seen.add(version);
    return true;
  };
}

/**
 * Says that a server closes before all clients have gone quiet.
 *
 * @param log limited
 * @param clients that were still sending
 * @param drainMs how long they were waited for, in milliseconds
 */
export function logCut(log: Log, clients: number, drainMs: number): void {
  if (clients === 0) return;
  const who = clients === 1 ? "1 client was" : `${clients} clients were`;
  const text = `${who} still sending after ${
    drainMs / 1000
  } s: what had not come in by then is lost`;
  log.write("warn", text, { clients, kind: "cut" });
}

/**
 * Says that a server closes before it has read all that clients had sent by then.
 *
 * @param log limited
 * @param clients of which not all was read
 */
export function logUnread(log: Log, clients: number): void {
  if (clients === 0) return;
  const who = clients === 1 ? "1 client" : `${clients} clients`;
  const text = `Not all could be read that ${who} had sent: what was left of it is lost`;
  log.write("warn", text, { clients, kind: "cut" });
}
