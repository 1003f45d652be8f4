/**
 * What a runtime must tell of processes.
 *
 * @module
 */

/** Which programs run on this machine. */
export interface ProcessAdapter {
  /** Of this program. */
  readonly pid: number;
  /**
   * A name that no later process gets, with that of its container; `undefined`: it does not run, or
   * nobody may ask. Our own is {@linkcode ProcessAdapter.isUnseen} then.
   */
  identity(pid: number): Promise<string | undefined>;
  /** Whether an identity is of a program that others see by the files alone that it holds. */
  isUnseen?(identity: string): boolean;
  /** Holds a file until this program ends; gives what ends that before, or nothing where that can't be. */
  hold?(path: string): Promise<(() => Promise<void>) | undefined>;
  /** Whether a program that runs holds a file; `undefined` where that can't be seen. */
  isHeld?(path: string): Promise<boolean | undefined>;
  /** Files that this program may save into at once; absent where nobody knows. */
  readonly maxOpenFiles?: number;
}

/**
 * Sends one datagram, without waiting.
 *
 * @returns whether it was taken
 */
export type DatagramSender = (bytes: Uint8Array<ArrayBuffer>) => boolean;
