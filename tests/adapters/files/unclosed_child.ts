/** Opens files in the folder that it is given and closes none: `unclosed_child.ts FOLDER`. */
import process from "node:process";
import { join } from "node:path";
import { openRrd } from "../../../lib/recordings/mod.ts";
import { rrdFileSink } from "../../../lib/sinks/mod.ts";
import { loadFileAdapter } from "../../../lib/adapters/load.ts";

const [folder] = process.argv.slice(2);
const path = (name: string) => join(folder!, name);
const files = await loadFileAdapter();
for (let i = 0; i < 20; i++) await rrdFileSink({ path: path(`${i}.rrd`) });
await (await rrdFileSink({ path: path("read.rrd") })).close();
for (let i = 0; i < 20; i++) {
  const { messages } = await openRrd(path("read.rrd"));
  if (i % 2 === 0) await messages[Symbol.asyncIterator]().next();
  await files.openAt(path("read.rrd"));
}
const { gc } = (globalThis as { Bun?: { gc(now: boolean): void } }).Bun ?? {};
for (let i = 0; i < 10; i++) {
  gc?.(true);
  await new Promise((resolve) => setTimeout(resolve, 5));
}
console.log("still here");
