/// <reference lib="dom" />
/** The page over links as robots have them. */
import { assert, assertEquals } from "@std/assert";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { Child } from "../conformance/child.ts";
import { SlowLink } from "../soak/slow_link.ts";
import { openPage } from "./chromium.ts";
import { READY_MS, SHOWN_MS } from "./looks.ts";
import type { Scenario } from "./scenario.ts";
import { Stage } from "./stage.ts";

const ROBOT = fileURLToPath(new URL("long_robot.py", import.meta.url));
const MEGABYTES = 1000;
/** 16 Mbit/s. */
const BYTES_PER_SEC = 2e6;
const FIRST_MS = 3000;

interface Holder {
  readonly viewer?: {
    readonly ready: boolean;
    get_time_range(recording: string, timeline: string): { min: number; max: number } | null;
  };
}

/** Notes in the page itself when the viewer is ready, and when it has each newest frame. */
function watch(page: Page, recording: string): Promise<void> {
  return page.evaluate((id) => {
    const seen: { ms: number; min: number; max: number }[] = [];
    const noted = { readyMs: 0, stillMs: 0, seen };
    Object.assign(globalThis, { noted });
    let lastMs = performance.now();
    setInterval(() => {
      const ms = performance.now() - lastMs;
      lastMs += ms;
      // Without a graphics card, a viewer that is ready stands still for seconds before it draws.
      if (noted.readyMs > 0 && seen.length === 0 && ms > 200) noted.stillMs += ms;
      const { viewer } = document.getElementById("canvas") as unknown as Holder;
      if (!viewer?.ready) return;
      noted.readyMs ||= performance.now();
      const range = viewer.get_time_range(id, "frame");
      const last = seen.at(-1);
      if (range === null || (last?.min === range.min && last.max === range.max)) return;
      seen.push({ ms: performance.now() - noted.readyMs, min: range.min, max: range.max });
    }, 20);
  }, recording);
}

interface Noted {
  readonly readyMs: number;
  /** Of the time until the first picture, so long the page stood still. */
  readonly stillMs: number;
  readonly seen: readonly { readonly ms: number; readonly min: number; readonly max: number }[];
}

function noted(page: Page): Promise<Noted> {
  return page.evaluate(() => (globalThis as unknown as { noted: Noted }).noted);
}

export const SLOW_LINKS: readonly Scenario[] = ["0.22.1", "0.41.0"].map((version): Scenario => ({
  name: `shows live what SDK ${version} logs over a slow link with 1 GB of history, and that later`,
  onRequest: "takes 1.5 GB of memory and two minutes",
  async play({ runtime, chromium, sdk }) {
    const { python, env } = await sdk(version);
    await using stage = await Stage.start(runtime, ["--server-memory-limit", "1200MiB"]);
    const args = [stage.cli.port, MEGABYTES, 100, "long"].map(String);
    await using robot = new Child([python, ROBOT, ...args], { env });
    await robot.waitFor(/^history of/m, READY_MS);
    const link = await SlowLink.open(Number(new URL(stage.url).port), {
      bytesPerSec: BYTES_PER_SEC,
      delayMs: 20,
    });
    const url = `http://127.0.0.1:${link.port}/`;
    try {
      await using watched = await openPage(chromium);
      const { page, faults } = watched;
      await page.goto(url);
      await watch(page, "long");
      await page.waitForFunction(
        () => (globalThis as unknown as { noted: Noted }).noted.seen.length >= 3,
        undefined,
        { timeout: READY_MS + SHOWN_MS },
      );
      await page.waitForTimeout(10_000);
      const { seen, stillMs } = await noted(page);
      const first = seen.find(({ max }) => max >= MEGABYTES)!;
      const oldest = Math.min(...seen.map(({ min }) => min));
      console.log(
        `     first live picture ${first.ms.toFixed(0)} ms after ready (frame ${first.max}), ` +
          `for ${stillMs.toFixed(0)} ms of which the page stood still; ` +
          `history back to frame ${oldest}, newest ${seen.at(-1)!.max} after ` +
          `${(seen.at(-1)!.ms / 1000).toFixed(1)} s`,
      );
      const waited = first.ms - stillMs;
      assert(waited <= FIRST_MS, `the first live picture came after ${waited} ms of waiting`);
      assert(oldest < MEGABYTES - 3, `no history came, but back to ${oldest}`);
      assertEquals(faults, []);
    } finally {
      link.close();
    }
  },
}));
