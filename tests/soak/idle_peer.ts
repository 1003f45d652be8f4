/** Holds idle connections to a port: `PORT COUNT SECONDS AGAIN`; with 1, those that are closed come again. */
import { connect } from "node:net";
import process from "node:process";
import { say } from "../contract/child.ts";

/** Connections on their way at a time. */
const DIALS = 64;

const [port, count, seconds, again] = process.argv.slice(2).map(Number) as [
  ...[number, number, number, number],
];
const counts = { open: 0, opened: 0, closed: 0, failed: 0, slowestSec: 0, fastestSec: Infinity };
const end = performance.now() + seconds * 1000;
let dialing = 0;

function dial(): void {
  dialing++;
  const socket = connect(port, "127.0.0.1");
  let since = 0;
  socket.once("connect", () => {
    dialing--;
    counts.open++;
    counts.opened++;
    since = performance.now();
  });
  socket.on("error", () => {});
  socket.once("close", () => {
    if (since === 0) {
      dialing--;
      counts.failed++;
      return;
    }
    const lasted = (performance.now() - since) / 1000;
    counts.open--;
    counts.closed++;
    counts.slowestSec = Math.max(counts.slowestSec, lasted);
    counts.fastestSec = Math.min(counts.fastestSec, lasted);
  });
  socket.resume();
}

setInterval(() => {
  if (performance.now() < end) {
    const missing = () => count - dialing - (again ? counts.open : counts.opened);
    while (dialing < DIALS && missing() > 0) dial();
  } else if (counts.open === 0 && dialing === 0) {
    say({ ...counts, end: true });
    process.exit();
  }
}, 2);
setInterval(() => say(counts), 1000);
