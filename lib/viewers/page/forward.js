/** Where recordings travel to, in one line each. */
import { formatBytes, formatCount, formatLatency } from "./format.js";

/**
 * @param {any[]} targets of `/status`
 * @returns {string[]} a line for each
 */
export function forwardLines(targets) {
  return targets.map(({ target, lagBytes, lagSec, outageSec, isStopped, dropped, refused }) => {
    const lost = dropped.messages + refused.messages;
    const state = isStopped
      ? "stopped, see the log"
      : outageSec > 0
      ? `out of reach for ${Math.round(outageSec)} s, ${formatBytes(lagBytes)} wait`
      : `${formatBytes(lagBytes)}, ${formatLatency(lagSec)} behind`;
    const rest = lost > 0 ? `; ${formatCount(lost)} messages not forwarded` : "";
    return `${target}: ${state}${rest}`;
  });
}

/**
 * Whether one of them needs somebody.
 *
 * @param {any[]} targets of `/status`
 */
export function isTroubled(targets) {
  return targets.some(({ outageSec, isStopped }) => outageSec > 0 || isStopped);
}
