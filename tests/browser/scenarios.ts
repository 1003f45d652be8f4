/// <reference lib="dom" />
/** What is looked at in a real browser, while real SDKs log. */
import { assert, assertEquals } from "@std/assert";
import axeCore from "axe-core";
import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import type { Runtime } from "../conformance/cli_process.ts";
import type { Sdk } from "../conformance/sdk_cache.ts";
import { openPage, timeEvents } from "./chromium.ts";
import { Stage } from "./stage.ts";

/** What a scenario has at hand. */
export interface Props {
  readonly runtime: Runtime;
  readonly chromium: string;
  /** An SDK of this version, installed. */
  readonly sdk: (version: string) => Promise<Sdk>;
  /** Where screenshots go, if they are wanted. */
  readonly screenshots?: string;
}

/** One of them. */
export interface Scenario {
  readonly name: string;
  /** Where it is played; on both if left out. */
  readonly only?: Runtime;
  play(props: Props): Promise<void>;
}

const READY_MS = 60_000;
/** The viewer shows data within so long, */
const SHOWN_MS = 5_000;
/** and goes on doing so; without a graphics card it draws about twice a second. */
const GOES_ON_MS = 10_000;

/** Waits until the viewer itself is there. */
async function viewerReady(page: Page): Promise<void> {
  await page.waitForFunction(
    () =>
      (document.getElementById("canvas") as { viewer?: { ready: boolean } } | null)?.viewer?.ready,
    undefined,
    { timeout: READY_MS },
  );
}

/** Waits until the viewer tells of so many new times. */
async function events(page: Page, more: number, timeout: number): Promise<void> {
  const before = await timeEvents(page);
  await page.waitForFunction(
    (goal) => {
      const { counts } = globalThis as unknown as { counts: Record<string, number> };
      return (counts["timeupdate"] ?? 0) + (counts["timelinechange"] ?? 0) >= goal;
    },
    before + more,
    { timeout },
  );
}

/** What the page knows of Rerun's viewer. */
interface Holder {
  readonly viewer: {
    get_active_recording_id(): string | null;
    get_time_range(recording: string, timeline: string): { min: number } | null;
  };
}

/** Waits until the viewer shows this recording. */
async function shown(page: Page, recording: string): Promise<void> {
  await page.waitForFunction(
    (id) => {
      const { viewer } = document.getElementById("canvas") as unknown as Holder;
      return viewer.get_active_recording_id() === id;
    },
    recording,
    { timeout: GOES_ON_MS },
  );
}

/** Where the timeline of a recording begins in the viewer. */
async function firstFrame(page: Page, recording: string): Promise<number> {
  const range = await page.waitForFunction(
    (id) => {
      const { viewer } = document.getElementById("canvas") as unknown as Holder;
      return viewer.get_time_range(id, "frame");
    },
    recording,
    { timeout: GOES_ON_MS },
  );
  return (await range.jsonValue())!.min;
}

async function axe(page: Page): Promise<void> {
  await page.evaluate(axeCore.source);
  const violations = await page.evaluate(async () => {
    const { axe } = globalThis as unknown as {
      axe: {
        run(context: object): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
      };
    };
    // Rerun's viewer puts an input of its own into the body, and draws the rest.
    const include = [["header"], ["aside"], ["#notice"], [".skip"]];
    const { violations } = await axe.run({ include });
    return violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`);
  });
  assertEquals(violations, []);
}

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
      await page.getByText("SDK 0.16.1 is too old for this viewer").waitFor({ timeout: READY_MS });
      await page.getByText("too old for this viewer").first().waitFor();
      assertEquals(await page.getByRole("link", { name: "Download .rrd" }).count(), 1);
      assertEquals(faults, []);
    },
  },
  {
    name: "says that the server is gone, and comes back with it",
    async play({ runtime, chromium }) {
      const stage = await Stage.start(runtime);
      await using watched = await openPage(chromium);
      const { page } = watched;
      await page.goto(stage.url);
      await page.getByText("0 clients").waitFor({ timeout: READY_MS });
      const { port } = new URL(stage.url);
      await stage[Symbol.asyncDispose]();
      await page.getByText("does not answer").waitFor({ timeout: GOES_ON_MS });
      await using _again = await Stage.start(runtime, [], port);
      await page.getByText("0 clients").waitFor({ timeout: GOES_ON_MS });
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
];
