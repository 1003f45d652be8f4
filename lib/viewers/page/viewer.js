/** Rerun's own viewer, beside the panel. */
import { withToken } from "./api.js";
import { byId, make } from "./dom.js";
import { beginStream, endStream } from "./streams.js";

/** @type {any} */
let viewer;
/** @type {Promise<any> | undefined} */
let starting;
/** @type {string | undefined} */
let opened;
/** @type {string | undefined} what is to be opened once the viewer is there */
let wanted;

/**
 * Shows a text in place of the viewer; without one, the viewer.
 *
 * @param {(Node | string)[]} content
 */
export function notify(...content) {
  byId("notice").replaceChildren(...content);
}

/** How far loading has come. */
const bar = /** @type {HTMLProgressElement} */ (make("progress", {
  "aria-label": "Loading the viewer",
}));

/**
 * Loads the viewer, which has tens of megabytes, once.
 *
 * @returns {Promise<any>} of `@rerun-io/web-viewer`
 */
export function start() {
  return starting ??= load().catch((error) => {
    starting = undefined;
    throw error;
  });
}

async function load() {
  await prefetch(new URL("viewer/re_viewer_bg.wasm", location.href));
  const { WebViewer } = await import(new URL("viewer/index.js", import.meta.url).href);
  const loaded = new WebViewer();
  for (const event of ["ready", "timeupdate", "timelinechange"]) {
    loaded.on(event, (/** @type {unknown[]} */ ...detail) => {
      dispatchEvent(new CustomEvent(`viewer-${event}`, { detail }));
    });
  }
  const holder = byId("canvas");
  const focused = /** @type {HTMLElement | null} */ (document.activeElement);
  await loaded.start(null, holder, { width: "100%", height: "100%", hide_welcome_screen: true });
  letGo(focused);
  // For whoever drives the page with scripts.
  holder.viewer = loaded;
  return viewer = loaded;
}

/**
 * The viewer takes the focus when it starts, and the Tab key for itself: whoever has only a keyboard
 * would never get out of it.
 *
 * @param {HTMLElement | null} focused what had the focus
 */
function letGo(focused) {
  const holder = byId("canvas");
  // Where it hears what is typed; it comes in by itself.
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
 * @param {string} url
 */
export async function open(url) {
  if (viewer === undefined) notify(make("p", {}, "Loading the Rerun viewer…"), bar);
  wanted = url;
  await start();
  if (wanted !== url) return;
  notify();
  closeStream();
  opened = beginStream(url);
  viewer.open(opened, { follow_if_http: true });
}

/** Leaves the stream. */
export function closeStream() {
  if (opened !== undefined) viewer.close(opened);
  opened = wanted = undefined;
  endStream();
}

/** @param {{ url: string }} recording */
export function streamUrl(recording) {
  return withToken(recording.url);
}
