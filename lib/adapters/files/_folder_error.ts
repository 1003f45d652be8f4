/** The error for reading a pipe or a device as if it was a file. */
export function pipeError(path: string): Error {
  return new Error(`${path} is a pipe or a device, not a file`);
}

/**
 * The error for reading a folder as a file: runtimes throw theirs only at the first read, and
 * without the path.
 */
export function folderError(path: string): Error {
  return Object.assign(new Error(`${path} is a folder, not a file`), { code: "EISDIR" });
}
