/** A server with live viewers, in a process of its own; says how large it was. */
import process from "node:process";
import { serve, silentLog } from "../../mod.ts";
import { loadGarbageCollector } from "../../lib/adapters/load.ts";
import { fanOut } from "../../lib/sinks/fan_out.ts";
import { viewerHub } from "../../lib/viewers/hub.ts";
import { residentKiB, say } from "../contract/child.ts";

const limitBytes = Number(process.argv[2]) * 2 ** 20;
const hub = viewerHub({
  limitBytes,
  relayCorrupt: true,
  collectGarbage: await loadGarbageCollector(),
});
const server = await serve({ port: 0, log: silentLog });

/** Takes frames of all that comes, as a relay does. */
async function drain(viewer: ReturnType<typeof hub.join>): Promise<number> {
  let messages = 0;
  for (;;) {
    const frames = await viewer.nextFrames(2 ** 18);
    if (frames === undefined) return messages;
    messages += frames.messages;
    frames.done();
  }
}

const early = drain(hub.join());
say({ port: server.addr.port });
let fullest = 0;
const watched = (async function* () {
  for await (const batch of server.batches()) {
    yield batch;
    fullest = Math.max(fullest, hub.stats.heldBytes);
    if (batch.some(({ payload }) => payload.type === "quit")) return;
  }
})();
await fanOut([hub]).receive(watched);
const late = drain(hub.join());
const { history } = hub.stats;
await hub.close();
const peakKiB = residentKiB("VmHWM");
say({ early: await early, late: await late, history, fullest, peakKiB });
await server.close();
