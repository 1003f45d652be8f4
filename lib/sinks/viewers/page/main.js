/** Asks the server each second, and shows what it tells. */
import { ask, NotAllowed, withToken } from "./api.js";
import { showClients } from "./clients.js";
import { byId, make, setText } from "./dom.js";
import { formatBytes, formatCount, formatLatency, formatRate, unfitness } from "./format.js";
import { addPoint, startPlots } from "./plots.js";
import { Rates } from "./rates.js";
import { showRecordings } from "./recordings.js";
import { closeStream, notify, open, start, streamUrl } from "./viewer.js";

/** @typedef {import("./recordings.js").Recording} Recording */

const INTERVAL_MS = 1000;
const rates = new Rates();
/** @type {string | undefined} */
let chosen = new URLSearchParams(location.hash.slice(1)).get("recording") ?? undefined;
/** Whether the user chose it; else the newest is shown. */
let isPicked = chosen !== undefined;
/** @type {Recording[]} */
let recordings = [];
/** By the clock of the server: a browser that is busy gets answers late. */
let askedAt = 0;
/** @type {string | undefined} */
let shown;
let isLost = false;

/** @param {Recording} recording */
function choose(recording) {
  isPicked = true;
  chosen = recording.id;
  history.replaceState(null, "", `#${new URLSearchParams({ recording: recording.id })}`);
  show();
}

function show() {
  if (!isPicked && (chosen === undefined || !recordings.some(({ id }) => id === chosen))) {
    chosen = (recordings.find(({ live, sdk }) => live && !unfitness(sdk)) ?? recordings[0])?.id;
  }
  const recording = recordings.find(({ id }) => id === chosen);
  const bytesPerSecond = new Map(
    recordings.map((
      { id, bytes },
    ) => [id, rates.next(`recording ${id}`, askedAt, [bytes])[0] ?? 0]),
  );
  showRecordings(recordings, chosen, (id) => bytesPerSecond.get(id) ?? 0, choose);
  const key = recording === undefined ? "" : `${recording.id}\n${unfitness(recording.sdk)}`;
  if (key === shown) return;
  shown = key;
  if (recording === undefined) {
    return notify(
      make("strong", {}, "Waiting for data"),
      make("p", {}, "As soon as an SDK logs something, it is shown here."),
    );
  }
  const unfit = unfitness(recording.sdk);
  if (unfit !== "") return refuse(recording, unfit);
  open(streamUrl(recording)).catch((error) => {
    shown = undefined;
    cannotShow(error);
  });
}

/**
 * @param {Recording} recording
 * @param {string} unfit
 */
function refuse(recording, unfit) {
  closeStream();
  const [major, minor] = (recording.sdk ?? "").split(".");
  notify(
    make("strong", {}, `SDK ${recording.sdk} is too ${unfit} for this viewer`),
    make(
      "p",
      {},
      "It shows what SDK 0.17 to 0.22 log. The recording is kept all the same: download it, and open " +
        `it with Rerun ${major}.${minor}.`,
    ),
    make(
      "a",
      { class: "button", href: withToken(recording.url, { download: "1" }) },
      "Download .rrd",
    ),
  );
}

/** @param {unknown} error */
function cannotShow(error) {
  notify(
    make("strong", {}, "The Rerun viewer can't be shown"),
    make("p", {}, error instanceof Error ? error.message : String(error)),
    make("p", {}, "Recordings can still be downloaded, and a native viewer can connect."),
  );
}

async function refresh() {
  try {
    const [status, listed] = await Promise.all([ask("/status"), ask("/recordings")]);
    recordings = listed;
    askedAt = status.timeMs;
    if (isLost) {
      // A new server knows nothing of the old streams.
      isLost = false;
      shown = undefined;
      closeStream();
    }
    showStatus(status);
    show();
  } catch (error) {
    lose(error);
  }
}

/** @param {number | null} port */
function showHowToConnect(port) {
  const addr = `"${location.hostname}:${port ?? 9876}"`;
  setText(
    byId("connect"),
    `rr.init("my_robot")\n# SDK 0.20 to 0.22\nrr.connect_tcp(${addr})\n# SDK 0.9 to 0.19\nrr.connect(${addr})`,
  );
}

/** @param {any} status */
function showStatus(status) {
  showHowToConnect(status.sdkPort);
  const now = status.timeMs;
  const [messages = 0, bytes = 0] = rates.next("all", now, [status.messages, status.bytes]);
  addPoint(now, bytes, status.latencySec);
  setText(byId("throughput"), `${formatRate(bytes)}, ${formatCount(messages)} msg/s`);
  setText(byId("latency"), formatLatency(status.latencySec));
  const dropped = status.dropped.messages > 0
    ? `, ${formatCount(status.dropped.messages)} dropped`
    : "";
  setText(
    byId("totals"),
    `${formatCount(status.messages)} messages, ${formatBytes(status.bytes)}${dropped}; ` +
      `${formatBytes(status.hub.history.bytes)} of history`,
  );
  const lost = status.sinks.find((/** @type {any} */ sink) => sink.failed);
  const server = byId("server");
  server.classList.toggle("lost", lost !== undefined);
  const { open: clients } = status.connections;
  setText(
    server,
    lost === undefined
      ? `${clients} ${clients === 1 ? "client" : "clients"}, ${
        formatCount(status.hub.viewers.length)
      } ${status.hub.viewers.length === 1 ? "viewer" : "viewers"}`
      : `${lost.name} failed: ${formatCount(lost.lost.messages)} messages are lost`,
  );
  const perClient = new Map(
    status.clients.map((/** @type {any} */ c) => [
      c.id,
      rates.next(c.id, now, [c.messages, c.bytes]),
    ]),
  );
  showClients(status.clients, ({ id }) => perClient.get(id) ?? []);
  rates.keep(["all", ...perClient.keys(), ...recordings.map(({ id }) => `recording ${id}`)]);
}

/** @param {unknown} error */
function lose(error) {
  isLost = true;
  const server = byId("server");
  server.classList.add("lost");
  if (error instanceof NotAllowed) {
    setText(server, "A token is needed");
    notify(
      make("strong", {}, "A token is needed"),
      make("p", {}, "Open the address that the server printed at its start, with ?token=…"),
    );
    return;
  }
  setText(server, "The server does not answer; trying again");
}

function togglePanel() {
  const isHidden = document.body.classList.toggle("no-panel");
  const button = byId("toggle");
  button.setAttribute("aria-expanded", String(!isHidden));
  setText(button, isHidden ? "Show panel" : "Hide panel");
}

byId("toggle").addEventListener("click", togglePanel);
startPlots();
// It takes a while: begun before there is data; what fails is told once there is something to show.
start().catch(() => {});
await refresh();
setInterval(refresh, INTERVAL_MS);
