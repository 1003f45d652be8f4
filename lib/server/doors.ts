/**
 * What comes to the port of the SDKs and is none of theirs: viewers that read, browsers that ask.
 *
 * Viewers stand above the server, which knows of them no more than these doors. An SDK's
 * `WriteMessages` needs none.
 *
 * @module
 */
import type { NetAddr } from "../base/net_addr.ts";
import type { TcpConnection } from "../adapters/tcp/types.ts";
import type { AnswerInfo } from "../comms/grpc/service.ts";

/** Whom a call comes from. */
export interface CallPeer {
  /** Absent where the transport has no addresses. */
  readonly addr?: NetAddr;
}

/** Who takes what is none of the server's own; what is left out is refused with a line that says why. */
export interface Doors {
  /**
   * Takes a connection over that speaks HTTP/1.1: nobody else reads from it, writes to it or closes it
   * from now on. Until what this returns resolves, it counts for its address and among the connections.
   *
   * @param connection of the client, whose address was let in
   * @param first what was read of it already, at least a byte
   * @returns resolves when the connection is over; what it rejects with is logged, and closes the connection
   */
  http?(connection: TcpConnection, first: Uint8Array<ArrayBuffer>): Promise<void>;
  /**
   * Answers a viewer's `ReadMessages`.
   *
   * @param info of the call: its method, metadata, and a signal that aborts when nobody waits any more
   * @param peer whom it comes from
   * @returns frames as `readFrame` gives them, in parts; they are asked for while the viewer takes them.
   * The call ends well when they end, and with what they throw, which may be a `GrpcError`
   * @throws {GrpcError} to refuse the call
   */
  readMessages?(info: AnswerInfo, peer: CallPeer): AsyncIterable<readonly Uint8Array[]>;
}
