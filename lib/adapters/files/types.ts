/**
 * Files, as a runtime must offer them.
 *
 * @module
 */

/** A file being written. */
export interface WritableFile {
  /** Writes all of the bytes, handed to the operating system when it resolves. */
  write(bytes: Uint8Array): Promise<void>;
  /** Makes sure that what was written is on the disk (`fdatasync`). */
  sync(): Promise<void>;
  /** Cuts the file to this many bytes; the next write goes behind them. */
  truncate(size: number): Promise<void>;
  /** Closes the file; safe to call twice. */
  close(): Promise<void>;
}

/** How a file is opened for writing. */
export type FileMode = "new" | "replace" | "append";

/** A file that can be renamed and cut, or something else: a device, pipe, link or folder. */
export type FileKind = "file" | "other";

/** Files, as far as sinks need them. */
export interface FileAdapter {
  /**
   * Opens a file for writing.
   *
   * @param path where
   * @param mode `"new"`: fails with {@linkcode FileExists} if it exists; `"replace"`: cuts it to nothing;
   * `"append"`: writes behind what it holds, or makes it
   */
  create(path: string, mode: FileMode): Promise<WritableFile>;
  /** What stands at this path, a link itself and not its target; `undefined`: nothing. */
  kind(path: string): Promise<FileKind | undefined>;
  /** Gives a file another name in the same file system; what had that name is replaced. */
  rename(from: string, to: string): Promise<void>;
  /** Removes a file. */
  remove(path: string): Promise<void>;
  /** Names of what is in a folder, without its path; `""` is the current folder. */
  list(folder: string): Promise<string[]>;
  /** What a file holds, from its beginning, in chunks that are the reader's own. */
  open(path: string): Promise<ReadableStream<Uint8Array>>;
}
