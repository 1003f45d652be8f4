/** What both lists are searched for, and how they are sorted. */
import { byId } from "./dom.js";

/** So many need no search. */
const FEW = 5;
/** Between two keys, in milliseconds. */
const PAUSE_MS = 250;

const search = /** @type {HTMLInputElement} */ (byId("search"));
const sort = /** @type {HTMLSelectElement} */ (byId("sort"));

/** What the server is asked for. */
export function wish() {
  const text = search.value.trim();
  return { sort: sort.value, ...(text === "" ? {} : { search: text }) };
}

/** Whether something is searched for. */
export function isSearching() {
  return search.value.trim() !== "";
}

/**
 * Whether what is searched for is in texts.
 *
 * @param {(string | null)[]} texts
 */
export function isFound(texts) {
  const text = plain(texts.join("\n"));
  return plain(search.value).split(/\s+/).every((word) => text.includes(word));
}

/**
 * As the server compares.
 *
 * @param {string} text
 */
function plain(text) {
  return text.normalize("NFKC").toLowerCase();
}

/**
 * The search is shown once there is much to look through.
 *
 * @param {number} count
 */
export function offerSearch(count) {
  byId("find").hidden = count <= FEW && !isSearching();
}

/** @param {() => void} changed called when something else is asked for */
export function startFind(changed) {
  let timer = 0;
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(changed, PAUSE_MS);
  });
  sort.addEventListener("change", changed);
  byId("find").addEventListener("submit", (/** @type {Event} */ event) => {
    event.preventDefault();
    changed();
  });
}
