/**
 * Chooses the recordings that `/recordings` lists, by the query of the address.
 *
 * @module
 */
import type { RecordingSummary } from "../../stores/recordings.ts";
import { listed, listQuery } from "../files/list_query.ts";

/** The number of recordings that the hub remembers. */
const MOST_RECORDINGS = 10_000;

/**
 * The recordings that an address asks for, and how many there are in all; or a line that says what
 * is wrong with the address.
 */
export function chosenRecordings(
  recordings: readonly RecordingSummary[],
  query: Readonly<Record<string, string>>,
): { readonly page: readonly RecordingSummary[]; readonly found: number } | string {
  const wish = listQuery(query, MOST_RECORDINGS);
  if (typeof wish === "string") return wish;
  const { page, found } = listed(recordings, wish, ({ id, applicationId, sdk, bytes }, i) => ({
    // The hub lists the newest first, so the index stands for the time.
    ...{ name: applicationId, texts: [id, sdk], lastMs: -i, bytes },
  }));
  const also = recordings.find(({ id }) => id === query["also"]);
  return { found, page: also === undefined || page.includes(also) ? page : [...page, also] };
}
