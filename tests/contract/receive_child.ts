/** Reads one client; stands still after 16 MiB until it is told to go on. */
import { loadTcpAdapter } from "../../lib/adapters/load.ts";
import { heard, residentKiB, say } from "./child.ts";

const listener = await (await loadTcpAdapter()).listen({ hostname: "127.0.0.1", port: 0 });
const lines = heard();
const baseKiB = residentKiB("VmHWM");
say({ port: listener.addr.port });
const connection = await listener.accept();
let bytes = 0;
let stopped = false;
for await (const chunk of connection!.readable) {
  bytes += chunk.length;
  if (stopped || bytes < 16 * 2 ** 20) continue;
  stopped = true;
  say({ bytes });
  await lines.next();
}
say({ bytes, grownKiB: residentKiB("VmHWM") - baseKiB });
listener.close();
