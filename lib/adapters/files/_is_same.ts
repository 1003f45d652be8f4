/**
 * What tells one file from another; `ino` is 0 or null on systems that do not number their files.
 */
export interface FileIdentity {
  readonly dev: number | null;
  readonly ino: number | null;
}

/** What tells a file from another, as a text; `undefined` where the system does not number its files. */
export function identityText({ dev, ino }: FileIdentity): string | undefined {
  return ino ? `${dev} ${ino}` : undefined;
}

/**
 * Whether two are the same file, by whatever names; true where the system has no numbers to
 * compare.
 */
export function isSame(a: FileIdentity, b: FileIdentity): boolean {
  return !a.ino || !b.ino || (a.ino === b.ino && a.dev === b.dev);
}
