/**
 * Who serves what comes to the port of the SDKs and is not from an SDK: viewers that read, and
 * browsers.
 *
 * The code of viewers stands above that of the server, which knows no more of it than these doors.
 * An SDK's `WriteMessages` needs no door.
 *
 * @module
 */
import type { NetAddr } from "../base/net_addr.ts";
import type { TcpConnection } from "../adapters/tcp/types.ts";
import type { AnswerInfo } from "../comms/grpc/service.ts";

/** Who makes a call. */
export interface CallPeer {
  /** Absent where the transport has no addresses. */
  readonly addr?: NetAddr;
}

/**
 * Who serves what the server does not serve itself; whatever is left out is refused with a line
 * that says why, but for tables, which the server then gives to everybody.
 */
export interface Doors {
  /**
   * Takes a connection over that speaks HTTP/1.1: nobody else reads from it, writes to it or closes it
   * from now on. Until what this returns resolves, it counts for its address and among the connections.
   *
   * @param connection the client's connection; its address was let in
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
  /**
   * Asked before a viewer is given tables, which the server keeps itself; left out, everybody gets them.
   *
   * @param info of the call: its method, metadata, and a signal that aborts when nobody waits any more
   * @param peer whom it comes from
   * @returns nothing, now or later, where the viewer may have them
   * @throws {GrpcError} to refuse the call
   */
  mayReadTables?(info: AnswerInfo, peer: CallPeer): Promise<void> | void;
}
