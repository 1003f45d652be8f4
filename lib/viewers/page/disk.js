/** What the server has on its disk, asked for now and then. */
import { askList, NotAllowed } from "./api.js";
import { byId } from "./dom.js";
import { showFileRows } from "./files.js";
import { isFound, isSearching, offerSearch, wish } from "./find.js";
import { MAX_ROWS } from "./recordings.js";

/** @typedef {import("./files.js").DiskFile} DiskFile */

/** Asked for so often: who records for hours has thousands. */
const FILES_MS = 3000;

/** @type {DiskFile[]} */
let files = [];
let filesInAll = 0;
/** When they are asked for again. */
let asksAt = 0;

/**
 * Asks for them if it is time.
 *
 * @param {string | undefined} chosen is told of in any case
 */
export async function refreshFiles(chosen) {
  if (performance.now() < asksAt) return;
  asksAt = performance.now() + FILES_MS;
  const also = chosen === undefined ? {} : { also: chosen };
  const query = new URLSearchParams({ limit: String(MAX_ROWS), ...wish(), ...also });
  const listed = await askList(`/files?${query}`).catch((error) => {
    if (error instanceof NotAllowed) throw error;
    // A program of one's own may have no files.
    return { items: [], total: 0 };
  });
  files = listed.items;
  filesInAll = listed.total;
}

/** It is time to ask for them. */
export function askFilesSoon() {
  asksAt = 0;
}

/**
 * @param {string | undefined} name
 * @returns {DiskFile | undefined}
 */
export function fileCalled(name) {
  return files.find((file) => file.name === name);
}

/** The newest that can be opened, if the list begins with that. */
export function newestFile() {
  return files.find(({ state }) => state !== "left");
}

/**
 * @param {number} recordings that are listed too
 * @param {string | undefined} chosen
 * @param {(file: DiskFile) => void} choose
 * @param {() => void} changed called when one is gone
 */
export function showFiles(recordings, chosen, choose, changed) {
  byId("disk").hidden = filesInAll === 0 && !isSearching();
  const found = isSearching()
    ? files.filter(({ name, recording, applicationId, sdk }) =>
      isFound([name, recording, applicationId, sdk])
    )
    : files;
  byId("no-files").hidden = found.length > 0;
  offerSearch(recordings + filesInAll);
  showFileRows(found, filesInAll, chosen, choose, changed);
}
