/**
 * What a runtime must tell of processes.
 *
 * @module
 */

/** Which programs run on this machine. */
export interface ProcessAdapter {
  /** Of this program. */
  readonly pid: number;
  /** A name that no later process gets, with that of its container; `undefined`: it does not run. */
  identity(pid: number): Promise<string | undefined>;
  /** Files that this program may save into at once; absent where nobody knows. */
  readonly maxOpenFiles?: number;
}

/**
 * Sends one datagram, without waiting.
 *
 * @returns whether it was taken
 */
export type DatagramSender = (bytes: Uint8Array<ArrayBuffer>) => boolean;
