/** The list of boxes that send recordings by NATS, asked for only if there are any. */
import { askAnyList } from "./api.js";
import { byId, make, openButton, setText, syncList } from "./dom.js";
import { wish } from "./find.js";
import { formatCount, formatLatency, formatRate, formatSpan, plural } from "./format.js";
import { MAX_ROWS } from "./recordings.js";

/**
 * @typedef {{ id: string, applicationId: string, lagSec: number, silentSec: number, live: boolean,
 *   messages: number, bytes: number }} FleetRecording
 * @typedef {{ box: string, lagSec: number, silentSec: number, live: boolean, messages: number,
 *   bytes: number, recordings: number, liveRecordings: number, newest: FleetRecording[] }} Box
 */

/** @type {Box[]} */
let boxes = [];
let boxesInAll = 0;
/** By the server's clock: a busy page asks late. */
let countedAt = 0;

/** @param {any} nats the part `nats` of `/status`; `null` where nothing is received from boxes */
export async function refreshFleet(nats) {
  if (nats === null) return;
  const query = new URLSearchParams({ limit: String(MAX_ROWS), ...wish() });
  const listed = await askAnyList(`/fleet?${query}`);
  boxes = listed.items;
  boxesInAll = listed.total;
  countedAt = listed.at;
}

/**
 * @param {any} nats of `/status`
 * @returns {string} one line
 */
export function fleetSummary({ boxes, live, recordings, ageSec, outageSec }) {
  if (outageSec > 0) return `NATS is out of reach for ${formatSpan(outageSec)}`;
  return `${formatCount(live)} of ${formatCount(boxes)} live, ${
    plural(recordings, "recording")
  }, ` +
    `up to ${formatLatency(ageSec)} behind`;
}

/**
 * @param {any} nats of `/status`
 * @param {string | undefined} chosen
 * @param {import("./rates.js").Rates} rates
 * @param {(recording: { id: string }) => void} choose
 */
export function showFleet(nats, chosen, rates, choose) {
  byId("fleet-section").hidden = nats === null;
  if (nats === null) return;
  const summary = byId("fleet-summary");
  setText(summary, fleetSummary(nats));
  summary.classList.toggle("lost", nats.outageSec > 0);
  byId("more-boxes").hidden = boxesInAll <= boxes.length;
  setText(byId("more-boxes"), `${formatCount(boxesInAll - boxes.length)} more are not listed.`);
  syncList(
    byId("fleet"),
    boxes,
    ({ box }) => box,
    () => boxRow(choose),
    (element, box) => {
      const [, rate = 0] = rates.next(`box ${box.box}`, countedAt, [box.messages, box.bytes]);
      update(element, box, rate, chosen);
      syncList(
        /** @type {Element} */ (element.children[1]),
        box.newest.length > 1 ? box.newest : [],
        ({ id }) => id,
        () => recordingRow(choose),
        (row, recording) => {
          const key = `box ${box.box}\n${recording.id}`;
          const [rate = 0] = rates.next(key, countedAt, [recording.bytes]);
          updateRecording(row, recording, rate, chosen);
        },
      );
    },
  );
}

/** The keys under which rates of boxes are still needed. */
export function fleetKeys() {
  return boxes.flatMap(({ box, newest }) => [
    `box ${box}`,
    ...newest.map(({ id }) => `box ${box}\n${id}`),
  ]);
}

/** @param {(recording: { id: string }) => void} choose */
function boxRow(choose) {
  const button = openButton();
  opens(button, choose);
  return make("li", {}, button, make("ul", { class: "inner" }));
}

/** @param {(recording: { id: string }) => void} choose */
function recordingRow(choose) {
  const button = make("button", { type: "button", class: "open facts" });
  opens(button, choose);
  return make("li", {}, button);
}

/**
 * @param {Element} button a click on it opens the recording that its data names
 * @param {(recording: { id: string }) => void} choose
 */
function opens(button, choose) {
  button.addEventListener("click", () => {
    const id = button.getAttribute("data-recording");
    if (id !== null) choose({ id });
  });
}

/**
 * @param {Element} element
 * @param {Box} box
 * @param {number} rate
 * @param {string | undefined} chosen
 */
function update(element, box, rate, chosen) {
  const button = /** @type {Element} */ (element.children[0]);
  const [name, facts, more] = /** @type {[Element, Element, Element]} */ (
    /** @type {unknown} */ ([...button.children])
  );
  const [first] = box.newest;
  const isChosen = box.newest.some(({ id }) => id === chosen);
  element.classList.toggle("chosen", isChosen);
  button.setAttribute("aria-pressed", String(isChosen));
  if (first !== undefined) button.setAttribute("data-recording", first.id);
  button.setAttribute("title", first === undefined ? "" : `Opens ${first.id}`);
  setText(name, box.box);
  const { liveRecordings, recordings } = box;
  setText(
    facts,
    recordings === 1
      ? titleOf(/** @type {FleetRecording} */ (first))
      : `${formatCount(liveRecordings)} of ${formatCount(recordings)} recordings live`,
  );
  more.classList.toggle("live", box.live);
  setText(more, state(box, rate));
}

/**
 * @param {Element} row
 * @param {FleetRecording} recording
 * @param {number} rate
 * @param {string | undefined} chosen
 */
function updateRecording(row, recording, rate, chosen) {
  const button = /** @type {Element} */ (row.children[0]);
  button.setAttribute("data-recording", recording.id);
  button.setAttribute("aria-pressed", String(recording.id === chosen));
  setText(button, `${titleOf(recording)} · ${state(recording, rate)}`);
}

/** @param {FleetRecording} recording */
function titleOf({ id, applicationId }) {
  return `${applicationId || "(never announced)"} · ${id}`;
}

/**
 * @param {{ live: boolean, lagSec: number, silentSec: number }} one
 * @param {number} rate
 */
function state({ live, lagSec, silentSec }, rate) {
  if (!live) return `silent for ${formatSpan(silentSec)}`;
  return `live ${formatRate(rate)} · ${formatLatency(lagSec)} behind`;
}
