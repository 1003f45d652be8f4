/// <reference lib="dom" />
/** What is looked at in a real browser, while real SDKs log. */
import { assert, assertEquals } from "@std/assert";
import { readFile } from "node:fs/promises";
import { openPage } from "./chromium.ts";
import { FIVE_SDKS } from "./five_sdks.ts";
import { DISK } from "./disk.ts";
import { FLEET } from "./fleet.ts";
import { HARD_TIMES } from "./hard_times.ts";
import {
  axe,
  events,
  firstFrame,
  GOES_ON_MS,
  READY_MS,
  shown,
  SHOWN_MS,
  viewerReady,
} from "./looks.ts";
import { REOPENING } from "./reopening.ts";
import type { Scenario } from "./scenario.ts";
import { SLOW_LINKS } from "./slow_links.ts";
import { Stage } from "./stage.ts";

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "follows a robot",
    async play({ runtime, chromium, sdk, screenshots }) {
      await using stage = await Stage.start(runtime);
      await using watched = await openPage(chromium);
      const { page, faults } = watched;
      await page.goto(stage.url);
      await page.getByText("Waiting for data").waitFor();
      await viewerReady(page);
      stage.robot(await sdk("0.22.1"), 40, "robot-7");
      const row = page.getByRole("button", { name: /warehouse_robot/ });
      await row.waitFor({ timeout: READY_MS });
      await events(page, 1, SHOWN_MS);
      await events(page, 3, GOES_ON_MS);
      await shown(page, "robot-7");
      assertEquals(await row.getAttribute("aria-pressed"), "true");
      await page.waitForFunction(() => /live .*B\/s/.test(document.body.innerText));
      await axe(page);
      if (screenshots !== undefined) {
        await page.waitForTimeout(12_000);
        await page.screenshot({ path: `${screenshots}/viewer-dark.png` });
        await page.emulateMedia({ colorScheme: "light" });
        await page.waitForTimeout(1500);
        await page.screenshot({ path: `${screenshots}/viewer-light.png` });
      }
      await page.emulateMedia({ colorScheme: "light" });
      await axe(page);
      await page.getByRole("button", { name: "Hide panel" }).press("Enter");
      assertEquals(await page.getByRole("complementary").isVisible(), false);
      assertEquals(faults, []);
    },
  },
  {
    name: "switches recordings, whatever they are called",
    async play({ runtime, chromium, sdk }) {
      await using stage = await Stage.start(runtime);
      const hostile = '<img src="x" onerror="document.title=`hurt`"> ../"';
      const real = await sdk("0.22.1");
      stage.robot(real, 30, "first");
      stage.robot(real, 30, hostile, "<b>second</b>");
      await using watched = await openPage(chromium);
      const { page, faults } = watched;
      await page.goto(stage.url);
      const second = page.getByRole("button", { name: /<b>second<\/b>/ });
      await second.waitFor({ timeout: READY_MS });
      await page.getByRole("button", { name: /warehouse_robot/ }).click();
      await viewerReady(page);
      await events(page, 2, GOES_ON_MS);
      await shown(page, "first");
      await second.click();
      await shown(page, hostile);
      await events(page, 2, GOES_ON_MS);
      assertEquals(await second.getAttribute("aria-pressed"), "true");
      const link = page.getByRole("link", { name: /Download recording <img/ });
      const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
      const saved = await readFile(await download.path());
      assertEquals(saved.subarray(0, 4).toString(), "RRF2");
      assertEquals(await page.title(), "Rerelay");
      assertEquals(faults, []);
    },
  },
  {
    name: "shows a late viewer what is left of a long recording",
    async play({ runtime, chromium, sdk }) {
      await using stage = await Stage.start(runtime, ["--server-memory-limit", "8MiB"]);
      const robot = stage.robot(await sdk("0.22.1"), 60, "long");
      await stage.cli.child.waitFor(/logs recording "long"/, READY_MS);
      // Twenty frames a second of 270 kB each.
      const deadline = performance.now() + READY_MS;
      for (;;) {
        const { hub } = await (await fetch(`${stage.url}status`)).json();
        if (hub.history.evicted.messages > 100) break;
        assert(performance.now() < deadline, "nothing was dropped from the history");
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      await using watched = await openPage(chromium);
      const { page, faults } = watched;
      await page.goto(stage.url);
      await viewerReady(page);
      await events(page, 2, GOES_ON_MS);
      const min = await firstFrame(page, "long");
      assert(min > 5, `the first frame shown is ${min}`);
      robot.kill("SIGTERM");
      assertEquals(faults, []);
    },
  },
  {
    name: "says that an SDK is too old",
    async play({ runtime, chromium, sdk }) {
      await using stage = await Stage.start(runtime);
      stage.robot(await sdk("0.16.1"), 15, "old");
      await using watched = await openPage(chromium);
      const { page, faults } = watched;
      await page.goto(stage.url);
      await page.getByText("SDK 0.16.1 is too old for these viewers").waitFor({
        timeout: READY_MS,
      });
      await page.getByText("too old for these viewers").first().waitFor();
      assertEquals(await page.getByRole("link", { name: "Download .rrd" }).count(), 1);
      assertEquals(faults, []);
    },
  },
  ...["0.17.0", "0.18.2", "0.19.1", "0.20.3", "0.21.0"].map((version): Scenario => ({
    name: `shows what SDK ${version} logs`,
    // It is the viewer that is looked at, not the server.
    only: "deno",
    async play({ runtime, chromium, sdk }) {
      await using stage = await Stage.start(runtime);
      stage.robot(await sdk(version), 40, version);
      await using watched = await openPage(chromium);
      const { page, faults } = watched;
      await page.goto(stage.url);
      await viewerReady(page);
      await events(page, 3, GOES_ON_MS);
      await shown(page, version);
      assertEquals(faults, []);
    },
  })),
  {
    name: "shows live what SDK 0.41.0 logs, with a token",
    async play({ runtime, chromium, sdk, screenshots }) {
      await using stage = await Stage.start(runtime, [], "0", { RERELAY_VIEWER_TOKEN: "se+cret" });
      stage.robot(await sdk("0.41.0"), 60, "today");
      await using watched = await openPage(chromium);
      const { page, faults } = watched;
      await page.goto(`${stage.url}?token=se%2Bcret`);
      await viewerReady(page);
      // Without a graphics card, this viewer takes its time.
      await events(page, 2, READY_MS);
      await shown(page, "today");
      if (screenshots !== undefined) {
        await page.waitForTimeout(8000);
        await page.screenshot({ path: `${screenshots}/viewer-today.png` });
      }
      assertEquals(faults, []);
    },
  },
  {
    name: "shows SDK 0.22.1 and 0.41.0 that log at once, from one page at either port",
    onRequest: "takes minutes on a busy machine: without a graphics card a switch takes up to 40 s",
    deadlineMs: 290_000,
    async play({ runtime, chromium, sdk, screenshots }) {
      await using stage = await Stage.start(runtime);
      // Twice a second: at 20 pictures a second of each, the page has no time left to be clicked on.
      const [seconds, pauseSec] = [280, 0.5];
      const robots = { older: "0.22.1", first: "0.41.0", second: "0.41.0" };
      for (const [name, version] of Object.entries(robots)) {
        stage.robot(await sdk(version), seconds, name, `${name}_robot`, pauseSec);
      }
      for (const url of [stage.url, `http://127.0.0.1:${stage.cli.port}/`]) {
        await using watched = await openPage(chromium);
        const { page, faults } = watched;
        await page.goto(url);
        for (const name of ["older", "first", "second", "older"]) {
          const row = page.getByRole("button", { name: new RegExp(`${name}_robot`) });
          await row.waitFor({ timeout: READY_MS });
          await row.click();
          // The other viewer may have to be loaded first.
          await shown(page, name, READY_MS);
          await events(page, 1, READY_MS);
          if (screenshots === undefined) continue;
          await page.waitForTimeout(3000);
          await page.screenshot({ path: `${screenshots}/viewer-${name}.png` });
        }
        // A viewer of Rerun's that is stopped leaves a callback behind, which finds its wasm gone: all
        // that this scenario looks for is shown all the same.
        assertEquals(faults.filter((fault) => !/_wasm_bindgen__closure__/.test(fault)), []);
      }
    },
  },
  ...(["HTTP", "WebSocket"] as const).map((transport): Scenario => ({
    name: `Rerun's viewer alone reads the ${transport} stream`,
    async play({ runtime, chromium, sdk }) {
      await using stage = await Stage.start(runtime);
      stage.robot(await sdk("0.22.1"), 40, "alone");
      await stage.cli.child.waitFor(/logs recording "alone"/, READY_MS);
      await using watched = await openPage(chromium);
      const { page, faults } = watched;
      // A page of the same origin, with nothing on it.
      await page.goto(`${stage.url}healthz`);
      const source = transport === "HTTP" ? `${stage.url}stream.rrd` : stage.socketUrl;
      await page.evaluate(async (url) => {
        const path = "/viewer/index.js";
        const { WebViewer } = await import(path);
        const viewer = new WebViewer();
        for (const event of ["timeupdate", "timelinechange"]) {
          viewer.on(event, () => dispatchEvent(new Event(`viewer-${event}`)));
        }
        await viewer.start(null, document.body, { hide_welcome_screen: true });
        viewer.open(url, { follow_if_http: true });
      }, source);
      await events(page, 3, GOES_ON_MS);
      assertEquals(faults, []);
    },
  })),
  ...DISK,
  ...FLEET,
  ...HARD_TIMES,
  ...REOPENING,
  ...SLOW_LINKS,
  FIVE_SDKS,
];
