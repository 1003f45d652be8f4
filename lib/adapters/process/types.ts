/**
 * What a runtime must tell of processes.
 *
 * @module
 */

/** Which programs run on this machine. */
export interface ProcessAdapter {
  /** Number of this process. */
  readonly pid: number;
  /**
   * A text that names a process and that no later process gets, in any container; `undefined` if no
   * such process runs, or if that can't be asked. Where it can't be asked, this program's own
   * identity is one that {@linkcode ProcessAdapter.isUnseen} is true of.
   */
  identity(pid: number): Promise<string | undefined>;
  /** Whether an identity is of a program that others can see only by the files that it holds. */
  isUnseen?(identity: string): boolean;
  /**
   * Holds a file until this program ends; resolves to a function that gives it up earlier, or to
   * nothing if it can't be held.
   */
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
