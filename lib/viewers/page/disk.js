/** The files on the server's disk, asked for every few seconds. */
import { askAnyList } from "./api.js";
import { byId } from "./dom.js";
import { showFileRows } from "./files.js";
import { isFound, isSearching, offerSearch, wish } from "./find.js";
import { MAX_ROWS } from "./recordings.js";

/** @typedef {import("./files.js").DiskFile} DiskFile */

/** Files are asked for so seldom, for there may be thousands. */
const FILES_MS = 3000;

/** @type {DiskFile[]} */
let files = [];
let filesInAll = 0;
/** When the files are asked for again, by `performance.now()`. */
let asksAt = 0;

/**
 * Asks for the files if it is time.
 *
 * @param {string | undefined} chosen name of the file that is in the list in any case
 */
export async function refreshFiles(chosen) {
  if (performance.now() < asksAt) return;
  asksAt = performance.now() + FILES_MS;
  const also = chosen === undefined ? {} : { also: chosen };
  const query = new URLSearchParams({ limit: String(MAX_ROWS), ...wish(), ...also });
  const listed = await askAnyList(`/files?${query}`);
  files = listed.items;
  filesInAll = listed.total;
}

/** Has the files asked for at the next occasion. */
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

/** The newest file, if it can be opened. */
export function newestFile() {
  return files.find(({ state }) => state !== "left");
}

/**
 * @param {number} how many recordings are listed too
 * @param {string | undefined} chosen
 * @param {(file: DiskFile) => void} choose
 * @param {() => void} changed called when a file was removed
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
