/** What is thrown where a file is to be read and a folder is there; runtimes say so late, and not which. */
export function folderError(path: string): Error {
  return Object.assign(new Error(`${path} is a folder, not a file`), { code: "EISDIR" });
}
