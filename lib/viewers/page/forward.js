/** A line of text for each target that recordings are forwarded to. */
import { formatBytes, formatClock, formatLatency, formatSpan, plural } from "./format.js";

/**
 * @param {any[]} targets of `/status`
 * @returns {string[]} a line for each
 */
export function forwardLines(targets) {
  return targets.map((one) => {
    const { target, lagBytes, lagSec, lastAckMs, outageSec, isStopped, dropped, refused } = one;
    const lost = dropped.messages + refused.messages;
    const state = isStopped
      ? "stopped, see the log"
      : outageSec > 0
      ? `out of reach for ${formatSpan(outageSec)}, ${formatBytes(lagBytes)} wait`
      : `${formatBytes(lagBytes)}, ${formatLatency(lagSec)} behind`;
    const rest = lost > 0 ? `; ${plural(lost, "message")} not forwarded` : "";
    const acked = lastAckMs === undefined ? "" : `, last acknowledged ${formatClock(lastAckMs)}`;
    return `${target}: ${state}${acked}${rest}`;
  });
}

/**
 * Whether a target fails or has stopped, so that somebody should look at it.
 *
 * @param {any[]} targets of `/status`
 */
export function isTroubled(targets) {
  return targets.some(({ outageSec, isStopped }) => outageSec > 0 || isStopped);
}
