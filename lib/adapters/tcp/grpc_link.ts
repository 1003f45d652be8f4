/**
 * A connection over which gRPC calls are made, as a runtime must offer it.
 *
 * @module
 */
import type { WriteClient } from "../../comms/grpc/write_client.ts";
import type { Field } from "../../comms/h2/types.ts";

/** A connection to a server, for calls side by side. */
export interface GrpcLink {
  /** Whether calls can still be begun. */
  readonly isOpen: boolean;
  /**
   * Begins a `WriteMessages` call.
   *
   * @param metadata further header fields
   * @throws {GrpcError} UNAVAILABLE if the server takes no calls
   */
  begin(metadata: readonly Field[]): WriteClient;
  /** Turns an error of a call into one that tells a user what to do. */
  explain(error: unknown): unknown;
  /** Closes the connection, and with it all calls. */
  destroy(): void;
}
