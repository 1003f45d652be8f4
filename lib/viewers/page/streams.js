/**
 * The stream that Rerun's viewer reads: the viewer itself leaves one only when the next message
 * comes, which may be never, and browsers have six connections to a server at most.
 */
import { NAME } from "./link.js";

/** What people want of a stream: the live edge, also on a slow link, and history where that leaves room. */
export const WISH = { name: NAME, latency: "2s", history: "newest-first" };

/** @type {{ url: string, sent: string, end: AbortController } | undefined} */
let current;
let count = 0;
const send = globalThis.fetch.bind(globalThis);

globalThis.fetch = (input, init) => {
  const url = input instanceof Request ? input.url : String(input);
  if (url !== current?.url) return send(input, init);
  const { sent, end } = current;
  if (sent === url) return send(input, { ...init, signal: end.signal });
  return sendAs(sent, new Request(input, init), end.signal);
};

/**
 * Sends a call under an address of its own, so that its end is told from that of the call before.
 *
 * @param {string} url
 * @param {Request} request
 * @param {AbortSignal} signal
 */
async function sendAs(url, request, signal) {
  const { method } = request;
  const headers = new Headers(request.headers);
  for (const [name, value] of Object.entries(WISH)) headers.set(`rerelay-${name}`, value);
  return await send(url, { method, headers, body: await request.arrayBuffer(), signal });
}

// The one thing that tells the end of an answer that somebody else reads.
new PerformanceObserver((list) => {
  if (!list.getEntries().some(({ name }) => name === current?.sent)) return;
  current = undefined;
  dispatchEvent(new Event("stream-ended"));
}).observe({ type: "resource" });

/**
 * Begins a stream in place of the one before.
 *
 * @param {string} address
 * @returns {string} what the viewer is to open; never the same twice
 */
export function beginStream(address) {
  endStream();
  const url = new URL(address);
  url.searchParams.set("stream", String(++count));
  current = { url: url.href, sent: url.href, end: new AbortController() };
  return url.href;
}

/** What newer viewers call for all recordings at once. */
const CALL = "/rerun.sdk_comms.v1alpha1.MessageProxyService/ReadMessages";

/**
 * The same for a viewer that calls by gRPC-web: the port of the page answers it.
 *
 * @returns {string} what the viewer is to open
 */
export function beginCall() {
  endStream();
  const url = new URL(CALL, location.origin).href;
  current = { url, sent: `${url}?stream=${++count}`, end: new AbortController() };
  return `rerun+${location.protocol}//${location.host}/proxy`;
}

/** Ends it. */
export function endStream() {
  const stream = current;
  current = undefined;
  stream?.end.abort();
}

/**
 * Why the server would refuse a stream, in its own words.
 *
 * @param {string} address
 * @returns {Promise<string | undefined>} `undefined`: it gives it
 */
export async function refusal(address) {
  // Without taking the place that there may be: that is given back after the viewer has asked for it.
  const { ok } = await send(address, { method: "HEAD", cache: "no-store" });
  if (ok) return undefined;
  const end = new AbortController();
  const response = await send(address, { cache: "no-store", signal: end.signal });
  if (!response.ok) return (await response.text()).trim();
  end.abort();
  return undefined;
}
