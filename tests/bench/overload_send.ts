/** A client of an overloaded server: logs frames at a steady rate, for some time after it is told to. */
import { once } from "node:events";
import { connect } from "node:net";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { heard, say } from "../contract/child.ts";
import { Frames, HANDSHAKE, timeless } from "./overload_packets.ts";

/** How a client logs. */
export interface Logging {
  /** Id of the recording. */
  readonly id: string;
  readonly seconds: number;
  readonly framesPerSec: number;
  readonly messagesPerFrame: number;
  readonly dataBytes: number;
  /** Static data is logged every so many frames, and a store info every ten times as many; 0: never. */
  readonly timelessEvery: number;
  /** Each frame is written alone, so that the server reads it alone. */
  readonly oneByOne?: boolean;
}

/** What it has logged. */
export interface Logged {
  readonly frames: number;
  readonly messages: number;
  readonly staticData: number;
  readonly storeInfos: number;
  readonly seconds: number;
}

/** After a pause it does not log all at once what it would have logged meanwhile. */
const MAX_CATCH_UP_SEC = 0.1;

async function log(port: number, logging: Logging): Promise<Logged> {
  const { id, seconds, framesPerSec, messagesPerFrame, dataBytes, timelessEvery } = logging;
  const frames = new Frames(id, messagesPerFrame, dataBytes);
  const packets = timeless(id);
  const socket = connect(port, "127.0.0.1").setNoDelay(true);
  await once(socket, "connect");
  const write = async (bytes: Uint8Array) => {
    if (!socket.write(bytes)) await once(socket, "drain");
  };
  await write(HANDSHAKE);
  say({ ready: true });
  await heard().next();
  let [frame, staticData, storeInfos] = [0, 0, 1];
  await write(packets.storeInfo);
  const start = performance.now();
  let due = 0;
  for (let before = start; before < start + seconds * 1000;) {
    await sleep(logging.oneByOne ? 0 : 4);
    const now = performance.now();
    due += Math.min((now - before) / 1000, MAX_CATCH_UP_SEC) * framesPerSec;
    before = now;
    while (frame < Math.floor(due)) {
      const stop = timelessEvery === 0 ? Infinity : frame - frame % timelessEvery + timelessEvery;
      const to = Math.min(Math.floor(due), stop, logging.oneByOne ? frame + 1 : Infinity);
      await write(frames.range(frame, to));
      // The server's turn: what is written next is another read.
      if (logging.oneByOne) await new Promise((resolve) => setImmediate(resolve));
      frame = to;
      if (frame !== stop) continue;
      await write(packets.staticData);
      staticData++;
      if (staticData % 10 !== 0) continue;
      await write(packets.storeInfo);
      storeInfos++;
    }
  }
  const took = (performance.now() - start) / 1000;
  socket.end();
  return {
    frames: frame,
    messages: frame * messagesPerFrame,
    staticData,
    storeInfos,
    seconds: took,
  };
}

const [port, logging] = process.argv.slice(2);
say(await log(Number(port), JSON.parse(logging!)));
// The process goes on, and the socket with it, until it is ended.
await heard().next();
