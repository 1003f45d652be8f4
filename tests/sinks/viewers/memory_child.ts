/** A server with live viewers, in a process of its own; says how much it has grown. */
import process from "node:process";
import { serve, silentLog } from "../../../mod.ts";
import { loadGarbageCollector } from "../../../lib/adapters/detect.ts";
import { fanOut } from "../../../lib/sinks/fan_out.ts";
import { viewerHub } from "../../../lib/sinks/viewers/hub.ts";
import { residentKiB, say } from "../../contract/child.ts";

const limitBytes = Number(process.argv[2]) * 2 ** 20;
const hub = viewerHub({
  limitBytes,
  relayCorrupt: true,
  collectGarbage: await loadGarbageCollector(),
});
const server = await serve({ port: 0, log: silentLog });
const baseKiB = residentKiB("VmRSS");

/** Makes frames of all that the viewer is given, as a relay does. */
async function drain(viewer: ReturnType<typeof hub.join>): Promise<number> {
  let frames = 0;
  for (;;) {
    const msgs = await viewer.next(2 ** 20);
    if (msgs === undefined) return frames;
    for (const msg of msgs) if (typeof hub.frame(msg) !== "string") frames++;
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
const grownKiB = residentKiB("VmHWM") - baseKiB;
say({ early: await early, late: await late, history, fullest, grownKiB });
await server.close();
