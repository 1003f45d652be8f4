/// <reference lib="dom" />
/** What is waited for in a page, and what is looked at. */
import { assertEquals } from "@std/assert";
import axeCore from "axe-core";
import type { Page } from "playwright-core";
import { timeEvents } from "./chromium.ts";

/** From opening a page to a viewer that is there, in milliseconds. */
export const READY_MS = 60_000;
/** The viewer shows data within so long, */
export const SHOWN_MS = 30_000;
/** and goes on doing so; without a graphics card it draws about once in a few seconds. */
export const GOES_ON_MS = 30_000;
/** From the first data to a viewer that keeps up; viewer 0.33 stands still for half a minute first. */
export const LIVE_MS = 60_000;

/** Waits until the viewer itself is there. */
export async function viewerReady(page: Page): Promise<void> {
  await page.waitForFunction(
    () =>
      (document.getElementById("canvas") as { viewer?: { ready: boolean } } | null)?.viewer?.ready,
    undefined,
    { timeout: READY_MS },
  );
}

/** Waits until the viewer tells of so many new times. */
export async function events(page: Page, more: number, timeout: number): Promise<void> {
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
    get_time_range(recording: string, timeline: string): { min: number; max: number } | null;
  };
}

/** Waits until the viewer shows this recording. */
export async function shown(
  page: Page,
  recording: string,
  timeout = GOES_ON_MS,
): Promise<void> {
  await page.waitForFunction(
    (id) => {
      const { viewer } = document.getElementById("canvas") as unknown as Partial<Holder>;
      return viewer?.get_active_recording_id() === id;
    },
    recording,
    { timeout },
  );
}

/** Where the timeline of a recording begins in the viewer. */
export async function firstFrame(page: Page, recording: string): Promise<number> {
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

/** Waits until the viewer has a frame of a recording above this one, and tells the newest. */
export async function newestFrame(page: Page, recording: string, above: number): Promise<number> {
  const newest = await page.waitForFunction(
    ({ recording, above }) => {
      const { viewer } = document.getElementById("canvas") as unknown as Partial<Holder>;
      const max = viewer?.get_time_range(recording, "frame")?.max;
      return max !== undefined && max > above ? { max } : undefined;
    },
    { recording, above },
    { timeout: LIVE_MS },
  );
  return (await newest.jsonValue())!.max;
}

export async function axe(page: Page): Promise<void> {
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
