/** The list of files: those that the server saved, and those that it was told to show. */
import { hasToken, remove, withToken } from "./api.js";
import { byId, make, openButton, setText, syncList } from "./dom.js";
import { download, MAX_BYTES } from "./download.js";
import { formatBytes, formatCount, formatTime, plural, unfitness } from "./format.js";

/**
 * @typedef {{ name: string, recording: string | null, recordings: number | null,
 *   applicationId: string | null, sdk: string | null, firstMs: number | null, lastMs: number | null,
 *   messages: number | null, bytes: number, state: "writing" | "left" | "closed",
 *   damaged: boolean | null, deletable: boolean, url: string }} DiskFile
 */

/** The newest facts of each row's file, for its buttons. */
/** @type {WeakMap<Element, DiskFile>} */
const files = new WeakMap();

/**
 * @param {DiskFile[]} listed
 * @param {number} total how many there are, listed or not
 * @param {string | undefined} chosen
 * @param {(file: DiskFile) => void} choose
 * @param {() => void} changed called when a file was removed
 */
export function showFileRows(listed, total, chosen, choose, changed) {
  byId("more-files").hidden = total <= listed.length;
  setText(byId("more-files"), `${formatCount(total - listed.length)} more are not listed.`);
  syncList(
    byId("files"),
    listed,
    ({ name }) => name,
    (file) => row(file, choose, changed),
    (element, file) => update(element, file, file.name === chosen),
  );
}

/**
 * @param {DiskFile} file
 * @param {(file: DiskFile) => void} choose
 * @param {() => void} changed
 */
function row(file, choose, changed) {
  const open = openButton();
  const label = `Download file ${file.name}`;
  const link = make(
    "a",
    { class: "button download", href: withToken(file.url), title: label, "aria-label": label },
    "↓ .rrd",
  );
  const gone = `Delete file ${file.name}`;
  const bin = make(
    "button",
    { type: "button", class: "delete", title: gone, "aria-label": gone, hidden: "" },
    "✕",
  );
  const element = make("li", {}, open, link, bin);
  const known = () => /** @type {DiskFile} */ (files.get(element));
  open.addEventListener("click", () => choose(known()));
  link.addEventListener("click", (event) => {
    if (known().bytes > MAX_BYTES) return;
    event.preventDefault();
    if (element.querySelector("progress") === null) showDownload(element, known());
  });
  bin.addEventListener("click", () => discard(known(), changed));
  return element;
}

/**
 * @param {Element} element
 * @param {DiskFile} file
 * @param {boolean} isChosen
 */
function update(element, file, isChosen) {
  files.set(element, file);
  element.classList.toggle("chosen", isChosen);
  const [open, , bin] = /** @type {any} */ (element.children);
  open.setAttribute("aria-pressed", String(isChosen));
  bin.hidden = !file.deletable || !hasToken;
  const [name, facts, more] = open.children;
  setText(name, file.name);
  name.setAttribute("title", file.name);
  const unfit = unfitness(file.sdk);
  const isOdd = unfit !== "" || file.damaged === true || file.state === "left";
  facts.classList.toggle("unfit", isOdd);
  const notes = [
    file.damaged ? "was damaged" : "",
    file.state === "left" ? "to be recovered" : "",
    unfit === "" ? "" : `too ${unfit} to be shown`,
  ].filter((note) => note !== "").map((note) => `, ${note}`).join("");
  const others = (file.recordings ?? 1) > 1 ? ` and ${(file.recordings ?? 1) - 1} more` : "";
  const whose = file.applicationId === null ? "" : ` · ${file.applicationId}${others}`;
  setText(facts, `SDK ${file.sdk ?? "?"}${notes}${whose}`);
  more.classList.toggle("live", file.state === "writing");
  const when = file.state === "writing" ? "being written" : formatTime(file.lastMs ?? file.firstMs);
  setText(more, `${when} · ${formatBytes(file.bytes)}`);
  more.setAttribute(
    "title",
    file.messages === null ? "" : plural(file.messages, "message"),
  );
}

/**
 * @param {Element} element
 * @param {DiskFile} file
 */
async function showDownload(element, file) {
  const ending = new AbortController();
  const bar = /** @type {HTMLProgressElement} */ (
    make("progress", { max: "1", "aria-label": `Downloading ${file.name}` })
  );
  const cancel = make(
    "button",
    { type: "button", "aria-label": `Stop downloading ${file.name}` },
    "Stop",
  );
  cancel.addEventListener("click", () => ending.abort());
  const line = make("div", { class: "transfer" }, bar, cancel);
  element.append(line);
  try {
    const url = withToken(file.url);
    await download(url, file.name, (share) => bar.value = share, ending.signal);
    tell(`${file.name} is downloaded.`);
  } catch (error) {
    if (!ending.signal.aborted) tell(`${file.name} could not be downloaded: ${textOf(error)}`);
  } finally {
    const hadFocus = line.contains(document.activeElement);
    line.remove();
    if (hadFocus) /** @type {HTMLElement} */ (element.children[1]).focus();
  }
}

/**
 * @param {DiskFile} file
 * @param {() => void} changed
 */
async function discard({ name, url }, changed) {
  if (!confirm(`Delete ${name} from the disk of the server? It can't be brought back.`)) return;
  try {
    await remove(url);
    tell(`${name} is deleted.`);
  } catch (error) {
    tell(`${name} could not be deleted: ${textOf(error)}`);
  }
  changed();
}

/** @param {string} text */
function tell(text) {
  setText(byId("files-note"), text);
}

/** @param {unknown} error */
function textOf(error) {
  return error instanceof Error ? error.message : String(error);
}
