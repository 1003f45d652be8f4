/** The field to search both lists, and their order. */
import { byId } from "./dom.js";

/** Lists with up to so many rows need no search. */
const FEW = 5;
/** The list is searched when so long nothing was typed, in milliseconds. */
const PAUSE_MS = 250;

const search = /** @type {HTMLInputElement} */ (byId("search"));
const sort = /** @type {HTMLSelectElement} */ (byId("sort"));

/** The search and the order, as the server's query takes them. */
export function wish() {
  const text = search.value.trim();
  return { sort: sort.value, ...(text === "" ? {} : { search: text }) };
}

/** Whether the user searches for something. */
export function isSearching() {
  return search.value.trim() !== "";
}

/**
 * Whether one of the texts has what the user searches for.
 *
 * @param {(string | null)[]} texts
 */
export function isFound(texts) {
  const text = plain(texts.join("\n"));
  return plain(search.value).split(/\s+/).every((word) => text.includes(word));
}

/**
 * A text in the form that the server compares.
 *
 * @param {string} text
 */
function plain(text) {
  return text.normalize("NFKC").toLowerCase();
}

/**
 * Shows the search field once the lists are long.
 *
 * @param {number} count
 */
export function offerSearch(count) {
  byId("find").hidden = count <= FEW && !isSearching();
}

/** @param {() => void} changed called when the search or the order changes */
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
