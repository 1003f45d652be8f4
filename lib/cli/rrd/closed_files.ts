/**
 * What is known of files since they were closed: RRD has no checksums, but who wrote a file may have
 * noted what all of it hashes to.
 *
 * @module
 */

/** Compares one file with what was noted when it was closed. */
export interface ClosedFileCheck {
  /** Takes the next bytes of the file. */
  add(bytes: Uint8Array): void;
  /** What differs, as in "its hash is another"; `undefined` if nothing does. */
  finish(): string | undefined;
}

/** Finds what was noted of a file; `undefined` where nothing was. */
export type ClosedFiles = (path: string) => Promise<ClosedFileCheck | undefined>;
