/** What a runtime tells of a file; where the system has no numbers of files, `ino` is 0 or null. */
export interface FileIdentity {
  readonly dev: number | null;
  readonly ino: number | null;
}

/** Whether two are the same file, by whatever names; true where the system does not tell. */
export function isSame(a: FileIdentity, b: FileIdentity): boolean {
  return !a.ino || !b.ino || (a.ino === b.ino && a.dev === b.dev);
}
