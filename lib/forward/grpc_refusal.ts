/**
 * What errors of a server mean for what was sent to it by gRPC.
 *
 * @module
 */
import { GrpcError, STATUS } from "../comms/grpc/status.ts";

/** gRPC's status for a message that is longer than a server accepts. */
const OUT_OF_RANGE = 11;

/**
 * The words with which Rerelay, the gRPC libraries of Rust (as in Rerun's server), Go, C++ and Java, and
 * what stands before a server, refuse a message above their limit.
 */
const TOO_LARGE =
  /maxMessageBytes|max-message|message length too large|larger than max|exceeds (the )?maximum (message )?size/i;

/** Whether a server will never take what was sent, so that it is not sent again. */
export function isRefusal(error: unknown): error is GrpcError {
  if (!(error instanceof GrpcError)) return false;
  const status: number = error.status;
  if (status === STATUS.INVALID_ARGUMENT || status === OUT_OF_RANGE) return true;
  // A server that is full will have room again; a message that is too large for it stays too large.
  return status === STATUS.RESOURCE_EXHAUSTED && TOO_LARGE.test(error.message);
}

/** Whether a server takes nothing before somebody changes something: it is another one, or lets nobody in. */
export function needsChange(error: unknown): boolean {
  if (!(error instanceof GrpcError)) return false;
  const { UNIMPLEMENTED, UNAUTHENTICATED, PERMISSION_DENIED } = STATUS;
  return ([UNIMPLEMENTED, UNAUTHENTICATED, PERMISSION_DENIED] as number[]).includes(error.status);
}
