/**
 * Files that can't grow: 4 GiB of FAT32, or what `ulimit -f` lets a process write.
 *
 * @module
 */
import { FileTooLarge, reason } from "../../base/errors.ts";
import { writeAll } from "./_write_all.ts";

/**
 * Writes all bytes, as `writeAll` does.
 *
 * Deno's error has no code. To see it, after `trap '' XFSZ; ulimit -f 1`:
 * `deno eval 'try { Deno.writeFileSync("a", new Uint8Array(4096)) } catch (e) { console.log(e.code) }'`.
 *
 * @throws {FileTooLarge} if the file can't grow, though there may be room for another file
 */
export async function writeFile(
  path: string,
  bytes: Uint8Array,
  write: (rest: Uint8Array) => Promise<number>,
): Promise<void> {
  let taken = 0;
  try {
    await writeAll(bytes, async (rest) => {
      const length = await write(rest);
      taken += length;
      return length;
    });
  } catch (cause) {
    const isTooLarge = (cause as { code?: string }).code === "EFBIG" ||
      /\(os error (?:27|223)\)/.test(reason(cause));
    throw isTooLarge ? new FileTooLarge(path, taken, { cause }) : cause;
  }
}
