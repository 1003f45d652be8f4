/**
 * Holds idle HTTP/2 connections to a port: `PORT COUNT SECONDS`; each has said its settings, and one
 * of twenty has an open `WriteMessages` call.
 */
import { connect } from "node:net";
import process from "node:process";
import { say } from "../contract/child.ts";
import { BEGINNING } from "../comms/h2/attacks.ts";
import { bytes, frame as h2Frame, literal } from "../comms/h2/wire.ts";
import { concat } from "../encoding/rrd_builder.ts";
import { PROXY } from "../server/grpc_peer.ts";

/** Connections on their way at a time. */
const DIALS = 64;
/** Of so many one has a call: they stay below `--max-clients`. */
const CALLS = 20;
/** Loopback connects at once: one that has not by then is dialled anew, and counted. */
const CONNECT_MS = 5000;

const [port, count, seconds] = process.argv.slice(2).map(Number) as [number, number, number];
const counts = { open: 0, opened: 0, closed: 0, failed: 0, stuck: 0, at: 0 };
let dialled = 0;
const path = `${PROXY}/WriteMessages`;
const call = h2Frame(
  1,
  4,
  1,
  bytes(0x83, 0x86, 0x04, path.length, path, literal("content-type", "application/grpc")),
);
const PING = 6;
const end = performance.now() + seconds * 1000;
let dialing = 0;

function dial(): void {
  dialing++;
  const socket = connect(port, "127.0.0.1");
  let isOpen = false;
  const hasCall = dialled++ % CALLS === 0;
  const stuck = setTimeout(() => {
    counts.stuck++;
    socket.destroy();
  }, CONNECT_MS);
  socket.once("connect", () => {
    clearTimeout(stuck);
    isOpen = true;
    dialing--;
    counts.open++;
    counts.opened++;
    socket.write(hasCall ? concat(BEGINNING, call) : BEGINNING);
  });
  let left: Uint8Array<ArrayBuffer> = new Uint8Array();
  // Those that are asked whether they live have to say so.
  socket.on("data", (data) => {
    left = concat(left, new Uint8Array(data as Uint8Array));
    while (left.length >= 9) {
      const length = left[0]! << 16 | left[1]! << 8 | left[2]!;
      if (left.length < 9 + length) return;
      if (left[3] === PING && (left[4]! & 1) === 0) {
        socket.write(h2Frame(PING, 1, 0, left.slice(9, 9 + length)));
      }
      left = left.slice(9 + length);
    }
  });
  socket.on("error", () => {});
  socket.once("close", () => {
    clearTimeout(stuck);
    if (isOpen) {
      counts.open--;
      counts.closed++;
    } else {
      dialing--;
      counts.failed++;
    }
  });
}

setInterval(() => {
  if (performance.now() < end) {
    while (dialing < DIALS && count - dialing - counts.opened > 0) dial();
  } else {
    say({ ...counts, end: true });
    process.exit();
  }
}, 2);
setInterval(() => say({ ...counts, at: Date.now() }), 1000);
