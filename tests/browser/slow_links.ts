/// <reference lib="dom" />
/** The page over links as robots have them. */
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import type { Runtime } from "../conformance/cli_process.ts";
import { Child } from "../conformance/child.ts";
import type { Sdk } from "../conformance/sdk_cache.ts";
import { SlowLink } from "../soak/slow_link.ts";
import { openPage } from "./chromium.ts";
import { axe, READY_MS, SHOWN_MS } from "./looks.ts";
import type { Scenario } from "./scenario.ts";
import { Stage } from "./stage.ts";

const ROBOT = fileURLToPath(new URL("long_robot.py", import.meta.url));
const MEGABYTES = 1000;
/** 16 Mbit/s. */
const BYTES_PER_SEC = 2e6;
const FIRST_MS = 3000;
/** A picture of the live edge, and what explains it. */
const FIRST_BYTES = 64 * 1024;
/** History is coming once there are older frames than this one. */
const OLDEST = MEGABYTES - 3;
/** It comes in the room that live pictures leave, to a page that may be drawing for most of the time. */
const HISTORY_MS = 60_000;
const DEADLINE_MS = 300_000;

interface Holder {
  readonly viewer?: {
    readonly ready: boolean;
    get_time_range(recording: string, timeline: string): { min: number; max: number } | null;
  };
}

/** What the page tells, in milliseconds since the Unix epoch. */
interface Noted {
  readonly readyAt: number;
  /** From the moment it was ready to the first picture, so long the page stood still. */
  readonly stillMs: number;
  readonly seen: readonly Seen[];
}

/** A newest frame that the viewer has. */
interface Seen {
  /** When it was there, … */
  readonly at: number;
  /** … and when the viewer had drawn since: without a graphics card that may be seconds later. */
  drawnAt?: number;
  readonly min: number;
  readonly max: number;
}

/** Notes in the page itself when the viewer is ready, and when it has each newest frame. */
function watch(page: Page, recording: string): Promise<void> {
  return page.evaluate((id) => {
    const seen: Seen[] = [];
    const noted = { readyAt: 0, stillMs: 0, seen };
    Object.assign(globalThis, { noted });
    const { firstAt } = globalThis as unknown as { firstAt: Record<string, number> };
    let lastMs = performance.now();
    setInterval(() => {
      const ms = performance.now() - lastMs;
      lastMs += ms;
      noted.readyAt = firstAt["ready"] ?? 0;
      // Without a graphics card, a viewer that is ready stands still for seconds before it draws.
      const isDrawn = seen.some(({ drawnAt }) => drawnAt !== undefined);
      if (noted.readyAt > 0 && !isDrawn && ms > 200) noted.stillMs += ms;
      const { viewer } = document.getElementById("canvas") as unknown as Holder;
      if (!viewer?.ready || noted.readyAt === 0) return;
      const range = viewer.get_time_range(id, "frame");
      const last = seen.at(-1);
      if (range === null || (last?.min === range.min && last.max === range.max)) return;
      const one: Seen = { at: Date.now(), min: range.min, max: range.max };
      seen.push(one);
      // The viewer draws in frames of the browser as well: in the next it has, in the one after it had.
      requestAnimationFrame(() => requestAnimationFrame(() => one.drawnAt = Date.now()));
    }, 20);
  }, recording);
}

function noted(page: Page): Promise<Noted> {
  return page.evaluate(() => (globalThis as unknown as { noted: Noted }).noted);
}

/** When the first picture of the stream was through a link. */
class Arrival {
  /** In milliseconds since the Unix epoch. */
  at: number | undefined;
  readonly #given = new Map<number, number>();

  readonly onBytes = (direction: "ask" | "give", connection: number, bytes: Uint8Array): void => {
    if (direction === "ask") {
      const text = Buffer.from(bytes).toString("latin1");
      if (/^GET \/recordings\/\S+ /.test(text)) this.#given.set(connection, 0);
      return;
    }
    const given = this.#given.get(connection);
    if (given === undefined || this.at !== undefined) return;
    this.#given.set(connection, given + bytes.length);
    if (given + bytes.length >= FIRST_BYTES) this.at = Date.now();
  };
}

/** How soon the first live picture is there. */
interface Shown extends Noted {
  /** After the viewer was ready, in milliseconds. */
  readonly firstMs: number;
  /** The same, when its bytes had come to the page. */
  readonly bytesMs: number;
}

async function show(
  runtime: Runtime,
  chromium: string,
  { python, env }: Sdk,
  megabytes: number,
  bytesPerSec: number,
  oldest: number,
): Promise<Shown> {
  await using stage = await Stage.start(runtime, ["--server-memory-limit", "1200MiB"]);
  const args = [stage.cli.port, megabytes, 200, "long"].map(String);
  await using robot = new Child([python, ROBOT, ...args], { env });
  await robot.waitFor(/^history of/m, READY_MS);
  const arrival = new Arrival();
  const { onBytes } = arrival;
  const port = Number(new URL(stage.url).port);
  const link = await SlowLink.open(port, { bytesPerSec, delayMs: 20, onBytes });
  try {
    await using watched = await openPage(chromium);
    const { page, faults } = watched;
    await page.goto(`http://127.0.0.1:${link.port}/`);
    await watch(page, "long");
    await page.waitForFunction(
      (count) =>
        (globalThis as unknown as { noted: Noted }).noted.seen.some(({ max, drawnAt }) =>
          max >= count && drawnAt !== undefined
        ),
      megabytes,
      { timeout: READY_MS + SHOWN_MS },
    );
    await page.waitForFunction(
      (oldest) => (globalThis as unknown as { noted: Noted }).noted.seen.at(-1)!.min < oldest,
      oldest,
      { timeout: HISTORY_MS },
    ).catch(() => {}); // That it did not come is told with where it ended.
    const all = await noted(page);
    assertEquals(faults, []);
    const first = all.seen.find(({ max, drawnAt }) => max >= megabytes && drawnAt !== undefined)!;
    return { ...all, firstMs: first.drawnAt! - all.readyAt, bytesMs: arrival.at! - all.readyAt };
  } finally {
    link.close();
  }
}

const LINK_TEXT =
  /^Showing ([\d,.]+) of ([\d,.]+) frames a second: this link carries ([\d.]+) MB\/s$/;

/** A robot that logs more than a link carries, and what the page tells of it. */
const TOLD: Scenario = {
  name: "tells what a link carries that is too slow for all pictures",
  async play({ runtime, chromium, sdk, screenshots }) {
    await using stage = await Stage.start(runtime);
    // Twenty frames a second of 270 kB each.
    stage.robot(await sdk("0.22.1"), 100, "robot-7");
    const link = await SlowLink.open(Number(new URL(stage.url).port), {
      bytesPerSec: BYTES_PER_SEC,
      delayMs: 20,
    });
    try {
      await using watched = await openPage(chromium, { width: 420, height: 820 });
      const { page, faults } = watched;
      await page.goto(`http://127.0.0.1:${link.port}/`);
      const told = page.getByText(LINK_TEXT);
      await told.waitFor({ timeout: READY_MS + SHOWN_MS });
      const text = await told.innerText();
      const [shown, all, rate] = LINK_TEXT.exec(text)!.slice(1).map((number) =>
        Number(number.replaceAll(",", ""))
      );
      console.log(`     ${text}`);
      assert(shown! < all! && all! < 40, text);
      assert(rate! > 0 && rate! * 1e6 < 1.5 * BYTES_PER_SEC, text);
      // Seen at once, on a phone as well.
      const { width, x, y } = (await told.boundingBox())!;
      assert(x >= 0 && x + width <= 420 && y < 360, `it is ${width} wide, at ${x}, ${y}`);
      await axe(page);
      if (screenshots !== undefined) {
        await page.screenshot({ path: `${screenshots}/slow-link.png` });
      }
      await page.emulateMedia({ colorScheme: "light" });
      await axe(page);
      assertEquals(faults, []);
    } finally {
      link.close();
    }
  },
};

const WITH_HISTORY = ["0.22.1", "0.41.0"].map((version): Scenario => ({
  name: `shows live what SDK ${version} logs over a slow link with 1 GB of history, and that later`,
  onRequest: "takes 1.5 GB of memory and three minutes",
  deadlineMs: DEADLINE_MS,
  async play({ runtime, chromium, sdk }) {
    const real = await sdk(version);
    // What the viewer itself takes, without a graphics card most of all, is no fault of a link.
    const control = await show(runtime, chromium, real, 2, 1e9, 1);
    const slow = await show(runtime, chromium, real, MEGABYTES, BYTES_PER_SEC, OLDEST);
    for (const [what, { firstMs, bytesMs, stillMs }] of Object.entries({ control, slow })) {
      console.log(
        `     ${what}: first live picture drawn ${firstMs} ms after ready, its bytes after ${bytesMs} ms; ` +
          `the page stood still for ${stillMs.toFixed(0)} ms of it`,
      );
    }
    const oldest = Math.min(...slow.seen.map(({ min }) => min));
    const last = slow.seen.at(-1)!;
    console.log(
      `     history back to frame ${oldest}, newest ${last.max} ${
        last.at - slow.readyAt
      } ms after ready`,
    );
    assert(slow.bytesMs <= FIRST_MS, `the first live picture came after ${slow.bytesMs} ms`);
    const longer = slow.firstMs - control.firstMs;
    assert(
      slow.firstMs <= FIRST_MS || longer <= FIRST_MS,
      `it was shown ${longer} ms later than without history and a slow link`,
    );
    assert(oldest < OLDEST, `no history came, but back to ${oldest}`);
  },
}));

export const SLOW_LINKS: readonly Scenario[] = [TOLD, ...WITH_HISTORY];
