/**
 * Finds programs that save under a pattern although they do not hold its lock any more, because
 * somebody removed it: without this, files would be cut and renamed that are still being written.
 *
 * @module
 */
import type { FileLine } from "./_index_line.ts";
import type { PartIndexOptions } from "./_part_index_options.ts";

/**
 * Adds the programs to those whose files are left to them, and tells each.
 *
 * @param files of the index
 * @param options of the index; nothing is done where processes can't be looked at
 */
export async function addRunning(
  files: Iterable<FileLine>,
  { pattern, draining, isRunning, writer, log }: PartIndexOptions,
): Promise<void> {
  if (draining === undefined || isRunning === undefined) return;
  const asked = new Set([writer]);
  for (const { state, by } of files) {
    if (state === "closed" || by === undefined || draining.has(by) || asked.has(by)) continue;
    asked.add(by);
    if (!await isRunning(by)) continue;
    draining.add(by);
    const path = pattern.folder + pattern.name;
    const text = `Process ${parseInt(by)} still saves under ${path}, though its lock is gone: ` +
      "its files are left to it";
    log.write("warn", text, { path, pid: parseInt(by) });
  }
}
