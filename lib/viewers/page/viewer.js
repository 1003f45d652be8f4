/** Rerun's own viewer, beside the panel: one for what SDK 0.17 to 0.22 log, and one for newer ones. */
import { withToken } from "./api.js";
import { byId, make } from "./dom.js";
import { beginStream, endStream, WISH } from "./streams.js";

/** @typedef {"viewer" | "viewer-0.33"} Kind the folder that it is served from */

/** @type {any} */
let viewer;
/** @type {Kind | undefined} of the viewer that is loaded */
let kind;
/** Viewers are loaded one after the other. */
let loading = Promise.resolve();
/** @type {string | undefined} */
let opened;
/** @type {object | undefined} what is to be opened once the viewer is there */
let wanted;
/** @type {string | undefined} the recording that is to be seen, where the viewer has several */
let seen;
/** @type {string | undefined} the address of a file that is open beside the stream */
let file;
let files = 0;

/**
 * Shows a text in place of the viewer; without one, the viewer.
 *
 * @param {(Node | string)[]} content
 */
export function notify(...content) {
  byId("notice").replaceChildren(...content);
}

/** Shows the progress of loading. */
const bar = /** @type {HTMLProgressElement} */ (make("progress", {
  "aria-label": "Loading the viewer",
}));

/**
 * Loads a viewer, which has tens of megabytes, in place of the one before.
 *
 * @param {Kind} which
 * @returns {Promise<void>}
 */
export function start(which) {
  const started = loading.catch(() => {}).then(async () => {
    if (kind !== which) await load(which);
  });
  loading = started;
  return started;
}

/** @param {Kind} which */
async function load(which) {
  await prefetch(new URL(`${which}/re_viewer_bg.wasm`, location.href));
  const { WebViewer } = await import(new URL(`${which}/index.js`, import.meta.url).href);
  stop();
  const loaded = new WebViewer();
  for (const [event, name] of EVENTS) {
    loaded.on(event, (/** @type {unknown[]} */ ...detail) => {
      dispatchEvent(new CustomEvent(`viewer-${name}`, { detail }));
    });
  }
  // A file may hold several recordings, and the viewer shows the one that came last.
  loaded.on("recording_open", (/** @type {{ recording_id: string }} */ event) => {
    if (event.recording_id === seen) loaded.set_active_recording_id(seen);
  });
  const holder = byId("canvas");
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  await loaded.start(null, holder, { width: "100%", height: "100%", hide_welcome_screen: true });
  letGo(focused);
  // For scripts and tests that drive the page.
  holder.viewer = viewer = loaded;
  kind = which;
}

/** The names of the viewers' events, and the page's names for them. */
const EVENTS = [
  ["ready", "ready"],
  ["timeupdate", "timeupdate"],
  ["time_update", "timeupdate"],
  ["timelinechange", "timelinechange"],
  ["timeline_change", "timelinechange"],
];

/** Removes the viewer that is loaded. */
function stop() {
  if (viewer === undefined) return;
  closeStream(false);
  viewer.stop();
  document.querySelector("body > input")?.remove();
  viewer = byId("canvas").viewer = kind = undefined;
}

/**
 * The viewer takes the focus, and the Tab key for itself: nobody with a keyboard alone would get out.
 *
 * @param {HTMLElement | null} focused the element that had the focus before
 */
function letGo(focused) {
  const holder = byId("canvas");
  // The viewer puts this field into the page, to receive what is typed.
  const input = document.querySelector("body > input");
  input?.setAttribute("tabindex", "-1");
  input?.setAttribute("aria-hidden", "true");
  const canvas = holder.querySelector("canvas");
  canvas?.setAttribute("role", "application");
  canvas?.setAttribute("aria-label", "Rerun viewer");
  const active = /** @type {HTMLElement | null} */ (document.activeElement);
  if (active === input || holder.contains(active)) active?.blur();
  focused?.focus();
  addEventListener("keydown", (event) => {
    const at = document.activeElement;
    if (event.key === "Tab" && (at === input || holder.contains(at))) {
      event.stopImmediatePropagation();
    }
  }, { capture: true });
}

/**
 * Brings a large file into the browser's cache, where the viewer finds it.
 *
 * @param {URL} url
 */
async function prefetch(url) {
  const response = await fetch(url);
  if (!response.ok || response.body === null) throw new Error("it is not installed on the server");
  const total = Number(response.headers.get("x-full-length"));
  if (total > 0) bar.max = total;
  let read = 0;
  for (const reader = response.body.getReader();;) {
    const { done, value } = await reader.read();
    if (done) return;
    read += value.length;
    if (total > 0) bar.value = read;
  }
}

/**
 * Opens a stream in the viewer in place of the one before.
 *
 * @param {Kind} which viewer
 * @param {{ id: string, url: string }} recording
 */
export async function open(which, recording) {
  if (kind !== which) notify(make("p", {}, "Loading the Rerun viewer…"), bar);
  const mine = wanted = {};
  await start(which);
  if (wanted !== mine) return;
  notify();
  closeStream(false);
  seen = recording.id;
  opened = beginStream(streamUrl(which, recording));
  viewer.open(opened, { follow_if_http: true });
  wake();
}

/** Has the viewer draw, and so do what it was told: while no data comes, that may be never. */
function wake() {
  byId("canvas").querySelector("canvas")?.dispatchEvent(new MouseEvent("mouseleave"));
}

/**
 * Opens a file in the viewer, beside the stream that may be there.
 *
 * @param {Kind} which viewer
 * @param {{ url: string, recording: string | null }} wish
 * @param {"current" | "as-sent"} format the form in which the server is to give the file
 */
export async function openFile(which, { url, recording }, format) {
  if (kind !== which) notify(make("p", {}, "Loading the Rerun viewer…"), bar);
  const mine = wanted = {};
  await start(which);
  if (wanted !== mine) return;
  notify();
  closeFile();
  seen = recording ?? undefined;
  // Each address is different, since the viewer does not read one again that it has read to its
  // end.
  file = withToken(url, { format, open: String(++files) });
  viewer.open(file);
  wake();
}

/** Closes the file that is open, if any. */
function closeFile() {
  if (file !== undefined) viewer.close(file);
  file = undefined;
}

/** Which viewer is loaded, if any. */
export function viewerKind() {
  return kind;
}

/** Lets go of the stream, which has ended. */
export function streamEnded() {
  if (opened !== undefined) viewer.close(opened);
  opened = undefined;
}

/**
 * Closes the stream that is open, if any.
 *
 * @param {boolean} [isUnwanted] whether a stream that waits until the viewer is loaded is no longer
 * to be opened
 */
export function closeStream(isUnwanted = true) {
  if (opened !== undefined) viewer.close(opened);
  closeFile();
  opened = seen = undefined;
  if (isUnwanted) wanted = undefined;
  endStream();
}

/**
 * The address of a recording for a viewer.
 *
 * @param {Kind} which
 * @param {{ url: string }} recording
 */
export function streamUrl(which, { url }) {
  // Viewer 0.22 reads what SDK 0.17 to 0.22 sent, and not today's form of it.
  return withToken(url, which === "viewer" ? { format: "as-sent", ...WISH } : WISH);
}
