/**
 * Which of many recordings are listed.
 *
 * @module
 */
import type { RecordingSummary } from "../../stores/recordings.ts";
import { listed, listQuery } from "../files/list_query.ts";

/** As many as the hub knows. */
const MOST_RECORDINGS = 10_000;

/** The recordings that an address asks for, and how many there are of these; or a line that says why it makes no sense. */
export function chosenRecordings(
  recordings: readonly RecordingSummary[],
  query: Readonly<Record<string, string>>,
): { readonly page: readonly RecordingSummary[]; readonly found: number } | string {
  const wish = listQuery(query, MOST_RECORDINGS);
  if (typeof wish === "string") return wish;
  const { page, found } = listed(recordings, wish, ({ id, applicationId, sdk, bytes }, i) => ({
    // They come with the newest in front.
    ...{ name: applicationId, texts: [id, sdk], lastMs: -i, bytes },
  }));
  const also = recordings.find(({ id }) => id === query["also"]);
  return { found, page: also === undefined || page.includes(also) ? page : [...page, also] };
}
