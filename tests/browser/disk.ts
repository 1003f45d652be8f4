/// <reference lib="dom" />
/** Files of the disk on the page: opened beside live recordings, searched, downloaded, removed. */
import { assert, assertEquals } from "@std/assert";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import type { Runtime } from "../conformance/cli_process.ts";
import type { Sdk } from "../conformance/sdk_cache.ts";
import { fixture } from "../fixtures.ts";
import { openPage } from "./chromium.ts";
import { axe, events, GOES_ON_MS, READY_MS, shown, viewerReady } from "./looks.ts";
import type { Scenario } from "./scenario.ts";
import { Stage } from "./stage.ts";

/** A folder for one scenario. */
class Folder implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), "rerelay-disk-"));

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** Lets SDKs log for a few seconds to a server that saves it, and ends that. */
async function record(runtime: Runtime, folder: string, sdks: readonly Sdk[]): Promise<void> {
  const path = join(folder, "{recording_id}.rrd");
  await using stage = await Stage.start(runtime, ["--save", path]);
  for (const [i, sdk] of sdks.entries()) {
    const robot = stage.robot(sdk, 3, `kept-${i}`, `robot_${i}`);
    await robot.ended;
    await stage.cli.child.waitFor(new RegExp(`logs recording "kept-${i}"`), READY_MS);
  }
  await stage.cli.stop();
}

/** The row's button that opens a file. */
function fileRow(page: Page, name: string) {
  return page.locator("#files").getByRole("button", { name: new RegExp(`^${name}`) });
}

/** A way to a port, on which the first answer to a request breaks off after so many bytes. */
async function breakingLink(to: number, request: string, bytes: number) {
  let isBroken = false;
  const server = createServer((page) => {
    const host = connect(to, "127.0.0.1");
    let isIt = false;
    let left = bytes;
    page.on("data", (data) => {
      isIt = data.toString("latin1").startsWith(request) && !data.includes("format=");
      host.write(data);
    });
    host.on("data", (data) => {
      if (!page.write(data)) {
        host.pause();
        page.once("drain", () => host.resume());
      }
      if (!isIt || isBroken || (left -= data.length) > 0) return;
      isBroken = true;
      page.destroy();
      host.destroy();
    });
    for (const [socket, other] of [[page, host], [host, page]] as const) {
      socket.on("error", () => {}).on("close", () => other.destroy());
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  return { port, [Symbol.dispose]: () => void server.close() };
}

/** Whether something is beyond the right edge, which nobody would find on a phone. */
function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
}

export const DISK: readonly Scenario[] = [
  {
    name: "opens files of SDK 0.22.1 and 0.41.0 from the disk, beside live recordings",
    async play({ runtime, chromium, sdk, screenshots }) {
      using folder = new Folder();
      await record(runtime, folder.path, [await sdk("0.22.1"), await sdk("0.41.0")]);
      await using stage = await Stage.start(runtime, [folder.path]);
      await using watched = await openPage(chromium);
      const { page, faults } = watched;
      await page.goto(stage.url);
      // The newest opens by itself, as Rerun's own server does it.
      await viewerReady(page);
      await shown(page, "kept-1", READY_MS);
      assertEquals(await fileRow(page, "kept-1").getAttribute("aria-pressed"), "true");
      if (screenshots !== undefined) {
        await page.waitForTimeout(8000);
        await page.screenshot({ path: `${screenshots}/disk-0.41.png` });
      }
      // Today's viewer is there: it is given the old one in today's form.
      const asked = page.waitForRequest((request) => request.url().includes("format=current"));
      await fileRow(page, "kept-0").click();
      await asked;
      await shown(page, "kept-0", READY_MS);
      stage.robot(await sdk("0.41.0"), 60, "live", "live_robot");
      const live = page.getByRole("button", { name: /live_robot/ });
      await live.waitFor({ timeout: READY_MS });
      await shown(page, "kept-0");
      await live.click();
      await shown(page, "live", READY_MS);
      await fileRow(page, "kept-1").click();
      await shown(page, "kept-1", READY_MS);
      if (screenshots !== undefined) {
        await page.waitForTimeout(8000);
        await page.screenshot({ path: `${screenshots}/disk-beside-live.png` });
      }
      assertEquals(faults, []);
    },
  },
  {
    name: "opens a file of SDK 0.22.1 in the viewer of its time",
    async play({ runtime, chromium, sdk, screenshots }) {
      using folder = new Folder();
      await record(runtime, folder.path, [await sdk("0.22.1")]);
      await using stage = await Stage.start(runtime, [folder.path]);
      await using watched = await openPage(chromium);
      const { page, faults } = watched;
      const asked = page.waitForRequest((request) => request.url().includes("format=as-sent"));
      await page.goto(stage.url);
      await asked;
      await viewerReady(page);
      await shown(page, "kept-0", READY_MS);
      await events(page, 1, GOES_ON_MS);
      if (screenshots !== undefined) {
        await page.waitForTimeout(5000);
        await page.screenshot({ path: `${screenshots}/disk-0.22.png` });
      }
      assertEquals(faults, []);
    },
  },
  {
    name: "deletes files where that is allowed, and only closed ones",
    async play({ runtime, chromium, sdk }) {
      using folder = new Folder();
      const real = await sdk("0.22.1");
      await record(runtime, folder.path, [real]);
      const save = ["--save", join(folder.path, "{recording_id}.rrd")];
      const secret = { RERELAY_VIEWER_TOKEN: "s3cret" };
      await using stage = await Stage.start(runtime, [...save, "--allow-delete"], "0", secret);
      stage.robot(real, 60, "going");
      await using watched = await openPage(chromium);
      const { page, faults } = watched;
      await page.goto(`${stage.url}?token=s3cret`);
      await fileRow(page, "going").waitFor({ timeout: READY_MS });
      assertEquals(await page.getByRole("button", { name: "Delete file going.rrd" }).count(), 0);
      const bin = page.getByRole("button", { name: "Delete file kept-0.rrd" });
      await bin.waitFor({ timeout: READY_MS });
      await axe(page);
      page.once("dialog", (dialog) => dialog.dismiss());
      await bin.click();
      assert(existsSync(join(folder.path, "kept-0.rrd")));
      page.once("dialog", (dialog) => dialog.accept());
      await bin.focus();
      await page.keyboard.press("Enter");
      await page.getByText("kept-0.rrd is deleted.").waitFor({ timeout: GOES_ON_MS });
      await fileRow(page, "kept-0").waitFor({ state: "detached", timeout: GOES_ON_MS });
      assert(!existsSync(join(folder.path, "kept-0.rrd")), readdirSync(folder.path).join());
      assertEquals(faults, []);
    },
  },
  {
    name: "finds one of hundreds of files on a phone, and downloads it",
    async play({ runtime, chromium, screenshots }) {
      using folder = new Folder();
      for (let i = 0; i < 300; i++) {
        const name = `run-${String(i).padStart(3, "0")}.rrd`;
        writeFileSync(join(folder.path, name), fixture("encodings/0.22.1-mixed-msgpack-off.rrd"));
      }
      await using stage = await Stage.start(runtime, [folder.path]);
      for (const colorScheme of ["dark", "light"] as const) {
        await using watched = await openPage(chromium, { width: 420, height: 820, colorScheme });
        const { page, faults } = watched;
        await page.goto(stage.url);
        await page.locator("#files li").nth(199).waitFor({ timeout: READY_MS });
        await page.getByText("100 more are not listed.", { exact: true }).waitFor();
        await axe(page);
        assert(await overflow(page) <= 0, `${await overflow(page)} pixels are out of sight`);
        await page.getByLabel("Sort by").selectOption("name");
        await fileRow(page, "run-000").waitFor();
        await page.getByLabel("Search recordings and files").fill("RUN-2 77");
        await page.locator("#files li").nth(1).waitFor({ state: "detached", timeout: GOES_ON_MS });
        await fileRow(page, "run-277").waitFor();
        if (screenshots !== undefined) {
          await page.screenshot({ path: `${screenshots}/disk-phone-${colorScheme}.png` });
        }
        await axe(page);
        const link = page.getByRole("link", { name: "Download file run-277.rrd" });
        const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
        assertEquals(download.suggestedFilename(), "run-277.rrd");
        const saved = readFileSync(await download.path());
        assertEquals(saved, readFileSync(join(folder.path, "run-277.rrd")));
        await page.getByText("run-277.rrd is downloaded.").waitFor();
        await page.getByLabel("Search recordings and files").fill("nothing is called so");
        await page.getByText("No file is found.").waitFor({ timeout: GOES_ON_MS });
        await axe(page);
        assertEquals(faults, []);
      }
    },
  },
  {
    name: "shows how far a download is, and goes on where a link broke",
    async play({ runtime, chromium }) {
      using folder = new Folder();
      const front = fixture("encodings/0.22.1-mixed-msgpack-off.rrd");
      const large = new Uint8Array(24 * 1024 * 1024).map((_, i) => i * 7);
      large.set(front);
      writeFileSync(join(folder.path, "large.rrd"), large);
      await using stage = await Stage.start(runtime, [folder.path]);
      const link = await breakingLink(Number(new URL(stage.url).port), "GET /files/large", 6e6);
      using _link = link;
      await using watched = await openPage(chromium);
      const { page } = watched;
      const ranges: string[] = [];
      page.on("request", (request) => {
        const { range } = request.headers();
        if (range !== undefined) ranges.push(range);
      });
      await page.goto(`http://127.0.0.1:${link.port}/`);
      await fileRow(page, "large").waitFor({ timeout: READY_MS });
      // A link of 8 MB/s, so that there is something to see.
      const session = await page.context().newCDPSession(page);
      await session.send("Network.enable");
      const slow = { offline: false, latency: 0, uploadThroughput: -1, downloadThroughput: 8e6 };
      await session.send("Network.emulateNetworkConditions", slow);
      const downloaded = page.waitForEvent("download", { timeout: 60_000 });
      const start = page.getByRole("link", { name: "Download file large.rrd" });
      await start.click();
      const bar = page.getByRole("progressbar", { name: "Downloading large.rrd" });
      await bar.waitFor();
      const saved = readFileSync(await (await downloaded).path());
      assertEquals(saved.length, large.length);
      assert(saved.equals(large), "it is another file");
      assert(ranges.some((range) => /^bytes=[1-9]\d*-$/.test(range)), `asked for ${ranges}`);
      await bar.waitFor({ state: "detached" });
    },
  },
];
