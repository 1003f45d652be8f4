import { open } from "node:fs/promises";
import process from "node:process";

/**
 * Reads a small file, or a pipe that gives what it has, however little at a time.
 *
 * @param path of the file; `-` is standard input
 * @param maxBytes how long it may be
 * @returns what it holds; `undefined` if that is longer
 * @throws whatever the system says
 */
export async function readLimited(path: string, maxBytes: number): Promise<Uint8Array | undefined> {
  const bytes = new Uint8Array(maxBytes + 1);
  let length = 0;
  if (path === "-") {
    for await (const chunk of process.stdin as AsyncIterable<Uint8Array>) {
      const taken = chunk.subarray(0, bytes.length - length);
      bytes.set(taken, length);
      length += taken.length;
      if (length === bytes.length) break;
    }
  } else {
    const file = await open(path);
    try {
      for (let read = -1; read !== 0 && length < bytes.length; length += read) {
        read = (await file.read(bytes, length, bytes.length - length)).bytesRead;
      }
    } finally {
      await file.close();
    }
  }
  return length > maxBytes ? undefined : bytes.subarray(0, length);
}
