/// <reference lib="dom" />
/** Five SDKs that log at once, live in one viewer of today. */
import { assertEquals } from "@std/assert";
import { openPage } from "./chromium.ts";
import { LIVE_MS, newestFrame, shown } from "./looks.ts";
import type { Scenario } from "./scenario.ts";
import { Stage } from "./stage.ts";

const VERSIONS = ["0.17.0", "0.18.2", "0.20.3", "0.22.1", "0.41.0"];
/** Robots log for so long, in seconds, and this far apart. */
const [SECONDS, PAUSE_SEC] = [400, 1];
/** From a switch to a picture in which all views are drawn; without a graphics card that takes long. */
const DRAWN_MS = 12_000;

/** What the viewer's own page has, in place of ours. */
interface Viewer {
  start(rrd: null, parent: Element, options: object): Promise<void>;
  open(url: string): void;
  set_active_recording_id(id: string): void;
}

export const FIVE_SDKS: Scenario = {
  name: "viewer 0.33.0 shows live what five SDKs log at once, by gRPC-web",
  onRequest: "takes minutes without a graphics card",
  deadlineMs: 400_000,
  async play({ runtime, chromium, sdk, screenshots }) {
    await using stage = await Stage.start(runtime);
    for (const version of VERSIONS) {
      stage.robot(await sdk(version), SECONDS, version, `sdk_${version}`, PAUSE_SEC);
    }
    await using watched = await openPage(chromium, { width: 1280, height: 720 });
    const { page, faults } = watched;
    // A page of the same origin, with nothing on it.
    await page.goto(`${stage.url}healthz`);
    await page.evaluate(async () => {
      const path = "/viewer-0.33/index.js";
      const { WebViewer } = await import(path);
      const viewer: Viewer = new WebViewer();
      document.body.innerHTML = '<div id="canvas"></div>';
      document.body.style.margin = "0";
      const holder = document.getElementById("canvas")!;
      await viewer.start(null, holder, {
        width: "100vw",
        height: "100vh",
        hide_welcome_screen: true,
      });
      Object.assign(holder, { viewer });
      viewer.open(`rerun+http://${location.host}/proxy`);
    });
    for (const version of VERSIONS) {
      const newest = await newestFrame(page, version, 0);
      await page.evaluate((id) => {
        const holder = document.getElementById("canvas") as unknown as { viewer: Viewer } & Element;
        holder.viewer.set_active_recording_id(id);
        holder.querySelector("canvas")!.dispatchEvent(new MouseEvent("mouseleave"));
      }, version);
      await shown(page, version, LIVE_MS);
      await newestFrame(page, version, newest + 2);
      if (screenshots === undefined) continue;
      await page.waitForTimeout(DRAWN_MS);
      const path = `${screenshots}/sdk-${version}.jpg`;
      await page.screenshot({ path, type: "jpeg", quality: 60 });
    }
    assertEquals(faults, []);
  },
};
