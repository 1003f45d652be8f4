import { openPage } from "./chromium.ts";
import { Stage } from "./stage.ts";
import { cacheFolder, SdkCache } from "../conformance/sdk_cache.ts";
import { findPython } from "../conformance/python.ts";
import process from "node:process";
const token = process.argv[2];
await using stage = await Stage.start("deno", token ? ["--viewer-token", token] : []);
const cache = new SdkCache(cacheFolder(), await findPython());
stage.robot(await cache.get("0.41.0"), 60, "today");
await using w = await openPage("/usr/bin/chromium");
w.page.on("console", (m) => console.log("console", m.type(), m.text().slice(0, 300)));
w.page.on("requestfailed", (r) => console.log("failed", r.url(), r.failure()?.errorText));
w.page.on("response", (r) => {
  const u = new URL(r.url());
  if (!/status|recordings/.test(u.pathname) || r.status() !== 200) {
    console.log("resp", r.status(), r.request().method(), r.url());
  }
});
await w.page.goto(stage.url + (token ? `?token=${encodeURIComponent(token)}` : ""));
await w.page.waitForTimeout(25000);
console.log(
  "faults",
  w.faults,
  await w.page.evaluate(() => (globalThis as any).counts),
  await w.page.evaluate(() => document.getElementById("notice")?.innerText),
);
await w.page.screenshot({ path: "/tmp/shots/debug.png" });
process.exit(0);
