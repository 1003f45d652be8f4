/** Rerun's own viewer, beside the panel. */
import { withToken } from "./api.js";
import { byId, make } from "./dom.js";

/** @type {any} */
let viewer;
/** @type {Promise<any> | undefined} */
let starting;
/** @type {string | undefined} */
let opened;

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
  await loaded.start(null, holder, { width: "100%", height: "100%", hide_welcome_screen: true });
  // For whoever drives the page with scripts.
  holder.viewer = loaded;
  return viewer = loaded;
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
  await start();
  notify();
  if (opened === url) return;
  if (opened !== undefined) viewer.close(opened);
  opened = url;
  viewer.open(url, { follow_if_http: true });
}

/** Forgets the stream: the server that gave it is gone. */
export function closeStream() {
  if (opened !== undefined && viewer !== undefined) viewer.close(opened);
  opened = undefined;
}

/** @param {{ url: string }} recording */
export function streamUrl(recording) {
  return withToken(recording.url);
}
