/**
 * Checks that files have not changed since they were closed: RRD has no checksums, but the server
 * that saved a file may have noted its hash.
 *
 * @module
 */

/** Compares one file with the noted hash. */
export interface ClosedFileCheck {
  /** Takes the next bytes of the file. */
  add(bytes: Uint8Array): void;
  /** What differs, as in "its hash is another"; `undefined` if nothing does. */
  finish(): string | undefined;
}

/** Makes the check of a file; `undefined` if nothing was noted of it. */
export type ClosedFiles = (path: string) => Promise<ClosedFileCheck | undefined>;
