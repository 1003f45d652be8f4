/**
 * Where recordings are written to: never over an input.
 *
 * @module
 */
import { stat } from "node:fs/promises";
import process from "node:process";
import type { FileAdapter, WritableFile } from "../../adapters/types.ts";
import { UsageError } from "../args.ts";

/** What takes bytes. */
export type Output = Pick<WritableFile, "write" | "sync" | "close">;

/**
 * Opens an output.
 *
 * @param path `-` for standard output
 * @param inputs paths that must not be written to, under this or another name
 * @param force whether to replace what exists
 * @throws {UsageError} if it is one of the inputs
 * @throws {FileExists} if it exists, without `force`
 */
export async function openOutput(
  path: string,
  inputs: readonly string[],
  files: FileAdapter,
  force: boolean,
): Promise<Output> {
  for (const input of inputs) {
    if (input === "-") continue;
    // An input that is not there must not cost what stands at the output.
    const source = await stat(input, { bigint: true });
    if (path !== "-" && await isAt(path, source)) {
      throw new UsageError(`${path} is the input: choose another file to write to`);
    }
  }
  if (path === "-") return standardOutput();
  return await files.create(path, force ? "replace" : "new");
}

/** Standard output, as fast as its reader takes it. */
export function standardOutput(): Output {
  return {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        process.stdout.write(bytes, (error) => error ? reject(error) : resolve());
      }),
    sync: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

/** Links count as the file they lead to. */
async function isAt(path: string, file: { ino: bigint; dev: bigint }): Promise<boolean> {
  try {
    const { ino, dev } = await stat(path, { bigint: true });
    return ino === file.ino && dev === file.dev;
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return false;
    throw error;
  }
}
