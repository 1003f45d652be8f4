/**
 * A connection that calls are made by, as a runtime must offer it.
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
  /** What an error of a call means to a user. */
  explain(error: unknown): unknown;
  /** Ends it, with all calls. */
  destroy(): void;
}
