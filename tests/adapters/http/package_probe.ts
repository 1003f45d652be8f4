/**
 * Asks for files of packages, as the page does, and prints what came and what was logged as JSON;
 * with `--console` it logs where pageAssets does by itself.
 */
import process from "node:process";
import { pageAssets } from "../../../lib/viewers/page/assets.ts";

const lines: string[] = [];
const log = { enabled: () => true, write: (_: string, text: string) => void lines.push(text) };
const assets = process.argv.includes("--console") ? pageAssets() : pageAssets(log);
const files: Record<string, string | null> = {};
for (const path of ["/", "/viewer-0.33/index.js", "/plot/uPlot.esm.js"]) {
  const asset = await assets.get(path, "");
  files[path] = asset === undefined ? null : new TextDecoder().decode(asset.body);
}
console.log(JSON.stringify({ files, lines }));
