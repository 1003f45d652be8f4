/** Debian's Chromium, without a window, and pages that tell what goes wrong in them. */
import { access, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { type BrowserContext, chromium, type Page } from "playwright-core";
import { run } from "../conformance/child.ts";

const NAMES = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
/** Downloads about 100 MB. */
const INSTALL_MS = 300_000;

/** WebGL without a graphics card; and no calls home, which a closed network would answer late. */
const FLAGS = [
  "--no-sandbox",
  "--use-gl=angle",
  "--use-angle=swiftshader",
  "--enable-unsafe-swiftshader",
  "--ignore-gpu-blocklist",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Finds Chromium; installs it where that is allowed and it is not there. */
export async function findChromium(): Promise<string> {
  const given = process.env.RERELAY_CHROMIUM;
  if (given) return given;
  const there = await installed();
  if (there !== undefined) return there;
  console.log("Chromium is not installed: apt-get install chromium");
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" } as Record<string, string>;
  await run(["apt-get", "update", "-qq"], { ms: INSTALL_MS, env });
  await run(["apt-get", "install", "-y", "-qq", "chromium"], { ms: INSTALL_MS, env });
  const path = await installed();
  if (path !== undefined) return path;
  throw new Error("There is no Chromium: install it, or name one with RERELAY_CHROMIUM");
}

async function installed(): Promise<string | undefined> {
  for (const name of NAMES) if (await access(name).then(() => true, () => false)) return name;
  return undefined;
}

/** An open page. */
export interface Watched extends AsyncDisposable {
  readonly page: Page;
  /** Errors of the page, and requests that it sent elsewhere than to this machine. */
  readonly faults: string[];
}

/** How a page is opened. */
export interface PageOptions {
  readonly colorScheme?: "light" | "dark";
  readonly width?: number;
  readonly height?: number;
}

/** Opens a page with a profile of its own. */
export async function openPage(
  executablePath: string,
  options: PageOptions = {},
): Promise<Watched> {
  const { colorScheme = "dark", width = 1440, height = 860 } = options;
  const profile = await mkdtemp(join(tmpdir(), "rerelay-chromium-"));
  const context: BrowserContext = await chromium.launchPersistentContext(profile, {
    executablePath,
    args: FLAGS,
    colorScheme,
    viewport: { width, height },
  });
  const page = context.pages()[0] ?? await context.newPage();
  const faults: string[] = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (!["127.0.0.1", ""].includes(url.hostname)) faults.push(`asks ${url.href}`);
  });
  // Counted from the first moment on, for events may come before anybody waits.
  await page.addInitScript(() => {
    const counts: Record<string, number> = {};
    /** In milliseconds since the Unix epoch. */
    const firstAt: Record<string, number> = {};
    Object.assign(globalThis, { counts, firstAt });
    for (const event of ["ready", "timeupdate", "timelinechange"]) {
      addEventListener(`viewer-${event}`, () => {
        counts[event] = (counts[event] ?? 0) + 1;
        firstAt[event] ??= Date.now();
      });
    }
  });
  return {
    page,
    faults,
    async [Symbol.asyncDispose]() {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}

/** How often the viewer has told of a new time. */
export async function timeEvents(page: Page): Promise<number> {
  const counts = await page.evaluate(() =>
    (globalThis as unknown as { counts: Record<string, number> }).counts
  );
  return (counts["timeupdate"] ?? 0) + (counts["timelinechange"] ?? 0);
}
