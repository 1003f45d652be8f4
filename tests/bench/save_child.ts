/**
 * Takes one client in, with or without saving: `save_child.ts off|FILE [lz4]`. The clock stops when the
 * fan-out has the client's last message, its write included, and again when the file is closed.
 */
import process from "node:process";
import { serve, silentLog } from "../../mod.ts";
import { fanOut, rrdFileSink, type Sink } from "../../lib/sinks/mod.ts";
import { residentKiB, say } from "../contract/child.ts";

const [path, compress] = process.argv.slice(2);
await using server = await serve({ port: 0, log: silentLog });
const log = {
  ...silentLog,
  enabled: () => true,
  write: (level: string, text: string) => level === "error" && console.error(text),
};
const save = compress === "lz4" ? "lz4" : "off";
const file = path === "off"
  ? undefined
  : await rrdFileSink({ path: path!, force: true, log, compress: save });
let messages = 0;
const counter: Sink = {
  name: "counter",
  write(batch) {
    messages += batch.length;
    const last = batch.at(-1)!.payload;
    if (last.type !== "quit") return;
    if (last.error) throw last.error;
    messages--;
    void server.close();
  },
  close: () => Promise.resolve(),
};
const receiver = fanOut(file === undefined ? [counter] : [counter, file]);
say({ port: server.addr.port });
await receiver.receive(server.batches());
say({ done: true });
const start = performance.now();
await receiver.close();
const closeSec = (performance.now() - start) / 1000;
const { user, system } = process.cpuUsage();
const count = file === undefined ? messages : file.kept.messages;
say({
  count,
  closeSec,
  peakKiB: residentKiB("VmHWM"),
  cpuSec: (user + system) / 1e6,
  user,
  system,
});
process.exit();
