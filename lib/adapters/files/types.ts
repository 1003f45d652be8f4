/**
 * Files, as a runtime must offer them.
 *
 * @module
 */

/** A file being written. */
export interface WritableFile {
  /**
   * Writes all of the bytes, handed to the operating system when it resolves.
   *
   * @throws {FileTooLarge} if the file can't grow, though there may be room for another
   */
  write(bytes: Uint8Array): Promise<void>;
  /** Writes over bytes that the file has; the next `write` goes behind its end all the same. */
  writeAt(at: number, bytes: Uint8Array): Promise<void>;
  /** Makes sure that what was written is on the disk (`fdatasync`). */
  sync(): Promise<void>;
  /** Cuts the file to this many bytes; the next write goes behind them. */
  truncate(size: number): Promise<void>;
  /** Whether this file, and no other, stands at a path; true where the system does not tell. */
  isAt?(path: string): Promise<boolean>;
  /**
   * Closes the file for a while, so that others may be open; nothing may be under way. Absent where
   * files stay open.
   */
  park?(): Promise<ParkedFile>;
  /** Closes the file; safe to call twice. */
  close(): Promise<void>;
}

/** A file that is closed for a while. */
export interface ParkedFile {
  /**
   * Opens it again; the next write goes behind its end.
   *
   * @throws {FileGone} if it is not there any more, or somebody wrote to it
   */
  open(): Promise<WritableFile>;
  /** Whether this file, and no other, stands at a path; true where the system does not tell. */
  isAt(path: string): Promise<boolean>;
}

/** How a file is opened for writing. */
export type FileMode = "new" | "replace" | "append";

/** A file that can be renamed and cut, or something else: a device, pipe, link or folder. */
export type FileKind = "file" | "other";

/** A file being read, at any place. */
export interface ReadableFile {
  /** Length of the file when it was opened, in bytes. */
  readonly size: number;
  /** When it was changed last, in milliseconds since the Unix epoch; absent where nobody knows. */
  readonly modifiedMs?: number;
  /**
   * Reads what stands at a place; one call at a time.
   *
   * @param at where, in bytes
   * @param into takes the bytes
   * @returns how many there were; 0 only at the end
   */
  readAt(at: number, into: Uint8Array<ArrayBuffer>): Promise<number>;
  /** Whether it has no name any more, so that nobody can open it again; false where the system does not tell. */
  isRemoved?(): Promise<boolean>;
  /** Closes the file; safe to call twice. */
  close(): Promise<void>;
}

/** Reads files and folders, and changes nothing. */
export interface FileReadAdapter {
  /** What is at this path (of a link the link itself, not its target); `undefined` if nothing is. */
  kind(path: string): Promise<FileKind | undefined>;
  /** Names of what is in a folder, without its path; `""` is the current folder. */
  list(folder: string): Promise<string[]>;
  /** What a file holds, from its beginning, in chunks that are the reader's own. */
  open(path: string): Promise<ReadableStream<Uint8Array>>;
  /**
   * Opens a file to read it at any place.
   *
   * @throws {Error} if a folder, a pipe or a device is there; no pipe is opened, for that would wait for
   * its other end
   */
  openAt(path: string): Promise<ReadableFile>;
  /**
   * Tells the file or folder that is at a path, or where a link there leads, from others that had the
   * path before: a drive's folder from the empty one that is there without the drive. `undefined` where
   * the system does not number them; absent where nobody knows.
   *
   * @throws {Error} if nothing is there
   */
  identity?(path: string): Promise<string | undefined>;
  /**
   * The path that a path leads to through symbolic links, also if no file is there yet; a path that
   * leads to a device, a pipe or a folder is returned as it is.
   */
  realPath(path: string): Promise<string>;
  /** Bytes that may still be written in a folder; `undefined` where nobody knows. */
  freeBytes(folder: string): Promise<number | undefined>;
}

/** What a new file could not be given of the file whose place it takes. */
export type Unkept = "owner" | "owner and group" | "group" | "rights";

/** Makes, changes and removes files. */
export interface FileWriteAdapter {
  /**
   * Opens a file for writing.
   *
   * @param path where
   * @param mode `"new"`: fails with {@linkcode FileExists} if it exists; `"replace"`: cuts it to nothing;
   * `"append"`: writes behind what it holds, or makes it
   */
  create(path: string, mode: FileMode): Promise<WritableFile>;
  /** Gives a file another name in the same file system; a file that had this name is replaced. */
  rename(from: string, to: string): Promise<void>;
  /**
   * Gives a new file the owner and the rights of the one whose place it is going to take, as far as
   * the system lets it; absent where files have neither.
   *
   * @param path of the new file, which is not a link
   * @param old path of the other
   * @returns what could not be kept
   */
  takeOver?(path: string, old: string): Promise<Unkept | undefined>;
  /** Removes a file. */
  remove(path: string): Promise<void>;
  /** Makes a folder, and the folders around it that are missing. */
  makeFolder(folder: string): Promise<void>;
  /**
   * Makes sure that what was created, renamed or removed in a folder is on the disk; `""` is the
   * current folder.
   */
  syncFolder(folder: string): Promise<void>;
}

/** Files, as far as sinks need them. */
export interface FileAdapter extends FileReadAdapter, FileWriteAdapter {}
