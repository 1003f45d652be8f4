/** Asks the server, and shows the answers. */
import { ask, askList, hasToken, NotAllowed, useToken, withToken } from "./api.js";
import { showClients } from "./clients.js";
import { byId, make, setText } from "./dom.js";
import {
  formatBytes,
  formatCount,
  formatLatency,
  formatRate,
  plural,
  sdkAddress,
  unfitness,
  viewerOf,
} from "./format.js";
import { askFilesSoon, fileCalled, newestFile, refreshFiles, showFiles } from "./disk.js";
import { isSearching, startFind, wish } from "./find.js";
import { fleetKeys, refreshFleet, showFleet } from "./fleet.js";
import { forwardLines, isTroubled } from "./forward.js";
import { Link } from "./link.js";
import { addPoint, startPlots } from "./plots.js";
import { Rates } from "./rates.js";
import { MAX_ROWS, showRecordings } from "./recordings.js";
import { refusal } from "./streams.js";
import {
  closeStream,
  notify,
  open,
  openFile,
  start,
  streamEnded,
  streamUrl,
  viewerKind,
} from "./viewer.js";

/** @typedef {import("./recordings.js").Recording} Recording */
/** @typedef {import("./files.js").DiskFile} DiskFile */

const INTERVAL_MS = 1000;
/** A stream that ended is opened again after so long. */
const REOPEN_MS = 2000;
/** A refused stream is asked for again after so long. */
const REFUSED_MS = 5000;
const rates = new Rates();
const asked = new URLSearchParams(location.hash.slice(1));
const link = new Link();
/** @type {string | undefined} */
let chosen = asked.get("recording") ?? undefined;
/** @type {string | undefined} the name of a file, which is shown in place of a recording */
let chosenFile = asked.get("file") ?? undefined;
/** Whether the user chose what is shown; otherwise that is the newest recording. */
let isPicked = chosen !== undefined || chosenFile !== undefined;
/** @type {Recording[]} */
let recordings = [];
let recordingsInAll = 0;
/** When the last answer was made, by the server's clock: a busy browser gets it late. */
let askedAt = 0;
/** @type {string | undefined} */
let shown;
/** When a stream that ended may be opened again. */
let opensAt = 0;
/** Whether the last stream ended without the page's doing: then the server is asked why. */
let hasEnded = false;
let asksForToken = false;

/** @param {{ id: string }} recording */
function choose(recording) {
  isPicked = true;
  chosen = recording.id;
  chosenFile = undefined;
  opensAt = 0;
  history.replaceState(null, "", `#${new URLSearchParams({ recording: recording.id })}`);
  show();
}

/** @param {DiskFile} file */
function chooseFile(file) {
  isPicked = true;
  chosenFile = file.name;
  opensAt = 0;
  history.replaceState(null, "", `#${new URLSearchParams({ file: file.name })}`);
  showDisk();
  show();
}

/** Chooses the newest live recording once the one shown has ended, unless the user chose one. */
function follow() {
  const current = recordings.find(({ id }) => id === chosen);
  // A search lists only some of the recordings.
  if (isSearching()) return;
  // Without any recording, the newest file is shown.
  if (!isPicked) chosenFile = recordings.length > 0 ? undefined : chosenFile ?? newestFile()?.name;
  if (isPicked || current?.live && !unfitness(current.sdk)) return;
  const newest = recordings.find(({ live, sdk }) => live && !unfitness(sdk));
  chosen = (newest ?? current ?? recordings[0])?.id;
}

function show() {
  follow();
  const recording = recordings.find(({ id }) => id === chosen);
  const bytesPerSecond = new Map(
    recordings.map((
      { id, bytes },
    ) => [id, rates.next(`recording ${id}`, askedAt, [bytes])[0] ?? 0]),
  );
  const rateOf = (/** @type {string} */ id) => bytesPerSecond.get(id) ?? 0;
  const listed = chosenFile === undefined ? chosen : undefined;
  showRecordings(recordings, recordingsInAll, listed, rateOf, choose);
  const file = fileCalled(chosenFile);
  if (chosenFile !== undefined) return showFile(file);
  const key = recording === undefined
    ? `${recordings.length > 0}`
    : `${recording.id}\n${unfitness(recording.sdk)}${viewerOf(recording.sdk)}`;
  if (key === shown || performance.now() < opensAt) return;
  shown = key;
  if (recording === undefined) {
    closeStream();
    if (recordings.length > 0) {
      return notify(
        make("strong", {}, "This recording is not here"),
        make("p", {}, `The server has none that is called ${chosen}: choose another one.`),
      );
    }
    return notify(
      make("strong", {}, "Waiting for data"),
      make("p", {}, "As soon as an SDK logs something, it is shown here."),
    );
  }
  const unfit = unfitness(recording.sdk);
  if (unfit !== "") return refuse(recording, unfit);
  view(recording).catch((error) => {
    shown = undefined;
    cannotShow(error);
  });
}

/** @param {DiskFile | undefined} file `undefined` if it is not listed, or no longer */
function showFile(file) {
  const key = `file ${chosenFile}`;
  if (key === shown) return;
  if (file === undefined) {
    if (shown?.startsWith("no ")) return;
    shown = `no ${chosenFile}`;
    return notify(
      make("strong", {}, "This file is not listed"),
      make("p", {}, `The server lists none that is called ${chosenFile}: choose another one.`),
    );
  }
  shown = key;
  const unfit = unfitness(file.sdk);
  if (unfit !== "") return refuse({ ...file, id: file.name }, unfit);
  const kind = viewerOf(file.sdk);
  // The viewer that is loaded shows old files as well, bridged to today's form.
  const isBridged = kind === "viewer" && viewerKind() === "viewer-0.33";
  openFile(isBridged ? "viewer-0.33" : kind, file, isBridged ? "current" : "as-sent")
    .catch((error) => {
      shown = undefined;
      cannotShow(error);
    });
}

/** @param {Recording} recording */
async function view(recording) {
  if (hasEnded) {
    const why = await refusal(streamUrl(viewerOf(recording.sdk), recording));
    if (why !== undefined) {
      shown = undefined;
      opensAt = performance.now() + REFUSED_MS;
      return notify(
        make("strong", {}, "The server does not give this recording now"),
        make("p", {}, `${why}.`),
        make("p", {}, "It is asked again every few seconds."),
      );
    }
    hasEnded = false;
  }
  await open(viewerOf(recording.sdk), recording);
}

function reopen() {
  streamEnded();
  hasEnded = true;
  // Meanwhile the user chose a file.
  if (chosenFile !== undefined) return;
  shown = undefined;
  opensAt = performance.now() + REOPEN_MS;
}

/**
 * @param {{ sdk: string | null, url: string }} recording
 * @param {string} unfit
 */
function refuse(recording, unfit) {
  closeStream();
  const [major, minor] = (recording.sdk ?? "").split(".");
  notify(
    make("strong", {}, `SDK ${recording.sdk} is too ${unfit} for these viewers`),
    make(
      "p",
      {},
      "They show what SDK 0.17 and later log. The recording is kept all the same: download it, and open " +
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
    const also = chosen === undefined ? {} : { also: chosen };
    const query = new URLSearchParams({ limit: String(MAX_ROWS), ...wish(), ...also });
    const [status, listed] = await Promise.all([
      ask("/status"),
      askList(`/recordings?${query}`),
      refreshFiles(chosenFile),
    ]);
    await refreshFleet(status.nats);
    recordings = listed.items;
    recordingsInAll = listed.total;
    showDisk();
    askedAt = status.timeMs;
    asksForToken = false;
    showStatus(status);
    show();
  } catch (error) {
    lose(error);
  }
}

/** Asks again only once it was answered, which takes long on a slow link. */
async function poll() {
  await refresh();
  setTimeout(poll, INTERVAL_MS);
}

/** Asks for recordings and files without waiting for their time. */
function again() {
  askFilesSoon();
  refresh();
}

function showDisk() {
  showFiles(recordingsInAll, chosenFile, chooseFile, again);
}

/** @param {number | null} port */
function showHowToConnect(port) {
  const addr = sdkAddress(location.hostname, port ?? 9876);
  setText(
    byId("connect"),
    `rr.init("my_robot")\n# SDK 0.23 and later\nrr.connect_grpc("rerun+http://${addr}/proxy")\n` +
      `# SDK 0.20 to 0.22\nrr.connect_tcp("${addr}")\n# SDK 0.9 to 0.19\nrr.connect("${addr}")`,
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
    `${plural(status.messages, "message")}, ${formatBytes(status.bytes)}${dropped}; ` +
      `${formatBytes(status.hub.history.bytes)} of history`,
  );
  const carried = link.next(status.hub.viewers, now);
  byId("link").hidden = carried === "";
  setText(byId("link"), carried);
  showForwarding(status.forwarding);
  showFleet(status.nats, chosenFile === undefined ? chosen : undefined, rates, choose);
  const lost = status.sinks.find((/** @type {any} */ sink) => sink.failed);
  const server = byId("server");
  server.classList.toggle("lost", lost !== undefined);
  // What comes by NATS has no connection.
  const clients = Math.max(status.connections.open, status.clients.length);
  setText(
    server,
    lost === undefined
      ? `${plural(clients, "client")}, ${plural(status.hub.viewers.length, "viewer")}`
      : `${lost.name} failed and lost ${plural(lost.lost.messages, "message")}`,
  );
  const perClient = new Map(
    status.clients.map((/** @type {any} */ c) => [
      c.id,
      rates.next(c.id, now, [c.messages, c.bytes]),
    ]),
  );
  showClients(status.clients, ({ id }) => perClient.get(id) ?? []);
  const listed = recordings.map(({ id }) => `recording ${id}`);
  rates.keep(["all", ...perClient.keys(), ...listed, ...fleetKeys()]);
}

/** @param {any[]} targets */
function showForwarding(targets) {
  const line = byId("forward");
  line.hidden = targets.length === 0;
  line.classList.toggle("lost", isTroubled(targets));
  setText(line, forwardLines(targets).join("\n"));
}

/** @param {unknown} error */
function lose(error) {
  const server = byId("server");
  server.classList.add("lost");
  if (error instanceof NotAllowed) {
    const text = hasToken ? "This token is wrong" : "A token is needed";
    setText(server, text);
    if (!asksForToken) askForToken(text);
    return;
  }
  setText(server, "The server does not answer; trying again");
}

/** @param {string} text why */
function askForToken(text) {
  asksForToken = true;
  shown = undefined;
  const input = /** @type {HTMLInputElement} */ (make("input", {
    type: "password",
    autocomplete: "off",
    required: "",
  }));
  const form = make(
    "form",
    {},
    make("label", {}, "Token ", input),
    make("button", { type: "submit" }, "Show"),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    useToken(input.value.trim());
  });
  notify(
    make("strong", {}, text),
    make(
      "p",
      {},
      "Whoever started the server knows it: RERELAY_VIEWER_TOKEN, or the file of --viewer-token-file.",
    ),
    form,
  );
}

function togglePanel() {
  const isHidden = document.body.classList.toggle("no-panel");
  const button = byId("toggle");
  button.setAttribute("aria-expanded", String(!isHidden));
  setText(button, isHidden ? "Show panel" : "Hide panel");
}

addEventListener("stream-ended", reopen);
byId("toggle").addEventListener("click", togglePanel);
startPlots();
startFind(again);
await poll();
// Loading takes a while, so it begins before there is data; a failure is shown once there is some.
if (recordings.length === 0 && newestFile() === undefined) start("viewer-0.33").catch(() => {});
