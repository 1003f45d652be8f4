/** Numbers, times and addresses as text for people. */

const UNITS = ["B", "kB", "MB", "GB", "TB"];

/** @param {number} bytes a second */
export function formatRate(bytes) {
  return `${formatBytes(bytes).replace(/(\d\.\d)\d /, "$1 ")}/s`;
}

/** @param {number} bytes */
export function formatBytes(bytes) {
  let unit = 0;
  let value = bytes;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  const digits = unit === 0 || value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return `${value.toFixed(digits)} ${UNITS[unit]}`;
}

/** @param {number} count */
export function formatCount(count) {
  return Math.round(count).toLocaleString("en");
}

/**
 * A count with its noun.
 *
 * @param {number} count
 * @param {string} noun in the singular, with a plural in s
 */
export function plural(count, noun) {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/** @param {number} seconds */
export function formatLatency(seconds) {
  const ms = seconds * 1000;
  if (ms >= 10_000) return `${seconds.toFixed(1)} s`;
  return `${ms >= 10 || ms === 0 ? Math.round(ms) : ms.toFixed(1)} ms`;
}

/** @param {number} seconds how long something has gone on */
export function formatSpan(seconds) {
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}

/** @param {number | null} ms since the Unix epoch */
export function formatTime(ms) {
  if (ms === null) return "at an unknown time";
  // With the year in front, which people in any country read alike.
  return local(ms).slice(0, 16).replace("T", " ");
}

/** @param {number} ms since the Unix epoch */
export function formatClock(ms) {
  return local(ms).slice(11, 19);
}

/** @param {number} ms since the Unix epoch */
function local(ms) {
  return new Date(ms - new Date(ms).getTimezoneOffset() * 60_000).toISOString();
}

/**
 * The address that SDKs connect to: an IP address, since they take no names.
 *
 * @param {string} hostname as the browser has it
 * @param {number} port
 */
export function sdkAddress(hostname, port) {
  if (/^(.*\.)?localhost$/.test(hostname)) return `127.0.0.1:${port}`;
  const isAddress = hostname.startsWith("[") || /^[\d.]+$/.test(hostname);
  return `${isAddress ? hostname : `IP address of ${hostname}`}:${port}`;
}

/**
 * Whether the page has a viewer for what an SDK of this version logs.
 *
 * @param {string | null} sdk such as `0.22.1`
 * @returns {"" | "old"}
 */
export function unfitness(sdk) {
  const version = minorOf(sdk);
  return version !== undefined && version < 17 ? "old" : "";
}

/**
 * Which viewer shows what an SDK of this version logs: the folder that it is served from.
 *
 * @param {string | null} sdk such as `0.22.1`
 * @returns {"viewer" | "viewer-0.33"}
 */
export function viewerOf(sdk) {
  return (minorOf(sdk) ?? 0) >= 23 ? "viewer-0.33" : "viewer";
}

/** @param {string | null} sdk */
function minorOf(sdk) {
  const [, major, minor] = /^(\d+)\.(\d+)/.exec(sdk ?? "") ?? [];
  return major === undefined ? undefined : Number(major) * 1000 + Number(minor);
}
