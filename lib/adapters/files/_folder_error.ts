/**
 * The error for reading a folder as a file: runtimes throw theirs only at the first read, and
 * without the path.
 */
export function folderError(path: string): Error {
  return Object.assign(new Error(`${path} is a folder, not a file`), { code: "EISDIR" });
}
