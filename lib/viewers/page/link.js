/** How fast the connection to this page is, shown while images are left out. */
import { formatCount, formatRate } from "./format.js";

/** Averages are over so long: a large frame may take seconds. */
const WINDOW_MS = 10_000;

/** The name by which this page finds itself among the server's viewers. */
export const NAME = `page-${Math.random().toString(36).slice(2)}`;

/** @typedef {{ at: number, shown: number, leftOut: number, light: number, bytes: number }} Look */

/** Counts of one viewer from the last seconds. */
export class Link {
  /** @type {Look[]} */
  #looks = [];
  /** @type {number | undefined} */
  #id;

  /**
   * The text to show; empty if nothing was left out lately.
   *
   * @param {any[]} viewers all viewers that the server lists
   * @param {number} at milliseconds
   */
  next(viewers, at) {
    const mine = viewers.findLast(({ name }) => name === NAME);
    if (mine?.id !== this.#id) this.#looks = [];
    this.#id = mine?.id;
    if (mine?.thinned === undefined) return "";
    const { shownFrames: shown, leftOutFrames: leftOut, light } = mine.thinned;
    this.#looks.push({ at, shown, leftOut, light: light.messages, bytes: mine.sent.bytes });
    this.#looks = this.#looks.filter((look) => at - look.at <= WINDOW_MS);
    const [first] = this.#looks;
    const last = this.#looks.at(-1);
    return first === undefined || last === undefined ? "" : textOf(first, last);
  }
}

/**
 * @param {Look} first
 * @param {Look} last
 */
export function textOf(first, last) {
  const seconds = (last.at - first.at) / 1000;
  const [shown, leftOut] = [last.shown - first.shown, last.leftOut - first.leftOut];
  const light = last.light - first.light;
  if (seconds <= 0 || leftOut + light <= 0) return "";
  const perSecond = (/** @type {number} */ count) => formatCount(count / seconds);
  const few = shown / seconds < 0.95 ? "fewer than 1" : perSecond(shown);
  const frames = leftOut === 0
    ? `${perSecond(light)} messages a second are left out`
    : `Showing ${few} of ${perSecond(Math.max(seconds, shown + leftOut))} frames a second`;
  return `${frames}: this link carries ${formatRate((last.bytes - first.bytes) / seconds)}`;
}
