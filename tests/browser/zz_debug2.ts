import { openPage } from "./chromium.ts";
import process from "node:process";
await using w = await openPage("/usr/bin/chromium");
w.page.on("console", (m) => console.log("console", m.type(), m.text().slice(0, 300)));
w.page.on("requestfailed", (r) => console.log("failed", r.url(), r.failure()?.errorText));
w.page.on("response", (r) => {
  const u = new URL(r.url());
  if (!/status|recordings/.test(u.pathname) || r.status() !== 200) {
    console.log("resp", r.status(), r.request().method(), r.url());
  }
});
await w.page.goto(process.argv[2]!);
await w.page.waitForTimeout(Number(process.argv[3] ?? 15000));
console.log(
  "faults",
  w.faults,
  await w.page.evaluate(() => (globalThis as any).counts),
  await w.page.evaluate(() => document.getElementById("notice")?.innerText),
  await w.page.evaluate(() =>
    (document.getElementById("canvas") as any)?.viewer?.get_active_recording_id()
  ),
);
await w.page.screenshot({ path: "/tmp/shots/debug.png" });
await w.page.context().close();
process.exit(0);
