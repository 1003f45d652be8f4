import { checkGiven } from "../../base/check_arguments.ts";

/**
 * Refuses what is no batch.
 *
 * @param batch what was passed to a sink's `write`
 * @throws {TypeError} that says what it takes
 */
export function checkBatch(batch: unknown): void {
  checkGiven(
    "write",
    "a batch, a list of messages as batches() gives",
    Array.isArray(batch),
    batch,
  );
}
