/** The list of recordings. */
import { withToken } from "./api.js";
import { byId, make, openButton, setText, syncList } from "./dom.js";
import { isFound, isSearching } from "./find.js";
import { formatBytes, formatCount, formatRate, plural, unfitness } from "./format.js";

/** More rows than this would only slow the page down. */
export const MAX_ROWS = 200;

/**
 * @typedef {{ id: string, applicationId: string, sdk: string | null, source: string, firstMs: number,
 *   messages: number, bytes: number, live: boolean, url: string }} Recording
 */

/**
 * @param {Recording[]} all recordings that the server listed
 * @param {number} total how many there are, older ones included
 * @param {string | undefined} chosen
 * @param {(id: string) => number} rateOf bytes a second
 * @param {(recording: Recording) => void} choose
 */
export function showRecordings(all, total, chosen, rateOf, choose) {
  // The chosen recording is listed in any case, whatever is searched for.
  const recordings = isSearching()
    ? all.filter(({ id, applicationId, sdk }) => isFound([id, applicationId, sdk]))
    : all;
  byId("none-found").hidden = !isSearching() || recordings.length > 0;
  const isEmpty = recordings.length === 0 && !isSearching();
  byId("no-recordings").hidden = !isEmpty;
  byId("connect").hidden = !isEmpty;
  const more = total - recordings.length;
  byId("more-recordings").hidden = more <= 0;
  setText(byId("more-recordings"), `${formatCount(more)} more are not listed.`);
  syncList(
    byId("recordings"),
    recordings,
    ({ id }) => id,
    (recording) => row(recording, choose),
    (element, recording) =>
      update(element, recording, recording.id === chosen, rateOf(recording.id)),
  );
}

/**
 * @param {Recording} recording
 * @param {(recording: Recording) => void} choose
 */
function row(recording, choose) {
  const button = openButton();
  button.addEventListener("click", () => choose(recording));
  const label = `Download recording ${recording.id} as an .rrd file`;
  const download = make(
    "a",
    { class: "button download", href: withToken(recording.url, { download: "1" }), title: label },
    "↓ .rrd",
  );
  download.setAttribute("aria-label", label);
  return make("li", {}, button, download);
}

/**
 * @param {Element} element
 * @param {Recording} recording
 * @param {boolean} isChosen
 * @param {number} rate
 */
function update(element, recording, isChosen, rate) {
  element.classList.toggle("chosen", isChosen);
  const [button] = element.children;
  if (button === undefined) return;
  button.setAttribute("aria-pressed", String(isChosen));
  const [name, facts, more] = button.children;
  if (name === undefined || facts === undefined || more === undefined) return;
  setText(name, recording.applicationId || "(never announced)");
  name.setAttribute("title", recording.id);
  const unfit = unfitness(recording.sdk);
  facts.classList.toggle("unfit", unfit !== "");
  const note = unfit === "" ? "" : `, too ${unfit} to be shown`;
  setText(facts, `SDK ${recording.sdk ?? "?"}${note} · ${recording.id}`);
  more.classList.toggle("live", recording.live);
  const state = recording.live ? rate > 0 ? `live ${formatRate(rate)}` : "live" : "ended";
  setText(more, `${state} · ${formatBytes(recording.bytes)}`);
  more.setAttribute("title", `${plural(recording.messages, "message")}, ${recording.source}`);
}
