/**
 * Compares the chunk index of a file with what was read of it.
 *
 * @module
 */
import { RerelayError } from "../../base/errors.ts";
import type { IndexCheck } from "../../chunk_index/index_check.ts";
import { RrdDamage, type RrdPart } from "../../encoding/rrd/part.ts";
import { InputError, nameOf } from "./input.ts";

/**
 * Takes the next part of a file. An index that lists other chunks than are there is damage, since
 * Rerun would go by it.
 *
 * @param path of the file
 * @throws {InputError} if the part is such an index
 */
export function checkIndex(path: string, check: IndexCheck, part: RrdPart): void {
  try {
    check.add(part);
  } catch (error) {
    if (!(error instanceof RerelayError)) throw error;
    const damage = new RrdDamage(part.offset, error);
    throw new InputError(nameOf(path), damage.message, damage);
  }
}
