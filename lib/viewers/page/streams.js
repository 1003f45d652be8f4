/**
 * The stream that Rerun's viewer reads: the viewer itself leaves one only when the next message
 * comes, which may be never, and browsers have six connections to a server at most. Viewer 0.33 opens
 * no address twice, and all calls of gRPC-web to one server are one address: so it reads `.rrd`.
 */
import { NAME } from "./link.js";

/**
 * Options of the stream: the newest data first, also over a slow connection, and history with what
 * capacity is left.
 */
export const WISH = { name: NAME, latency: "2s", history: "newest-first" };

/** @type {{ url: string, end: AbortController } | undefined} */
let current;
let count = 0;
const send = globalThis.fetch.bind(globalThis);

globalThis.fetch = (input, init) => {
  const url = input instanceof Request ? input.url : String(input);
  if (url !== current?.url) return send(input, init);
  return send(input, { ...init, signal: current.end.signal });
};

// The viewer reads the answer, not this page: only resource timing tells of its end.
new PerformanceObserver((list) => {
  if (!list.getEntries().some(({ name }) => name === current?.url)) return;
  current = undefined;
  dispatchEvent(new Event("stream-ended"));
}).observe({ type: "resource" });

/**
 * Begins a stream in place of the one before.
 *
 * @param {string} address
 * @returns {string} the address that the viewer is to open; never the same twice
 */
export function beginStream(address) {
  endStream();
  const url = new URL(address);
  url.searchParams.set("stream", String(++count));
  current = { url: url.href, end: new AbortController() };
  return url.href;
}

/** Ends the stream. */
export function endStream() {
  const stream = current;
  current = undefined;
  stream?.end.abort();
}

/**
 * Why the server would refuse a stream, in its own words.
 *
 * @param {string} address
 * @returns {Promise<string | undefined>} `undefined` if it would not refuse it
 */
export async function refusal(address) {
  // `HEAD` takes no place among the viewers, which `GET` would free too late for the viewer's own.
  const { ok } = await send(address, { method: "HEAD", cache: "no-store" });
  if (ok) return undefined;
  const end = new AbortController();
  const response = await send(address, { cache: "no-store", signal: end.signal });
  if (!response.ok) return (await response.text()).trim();
  end.abort();
  return undefined;
}
