/// <reference lib="dom" />
/** The page when something is in its way: no mouse, no token, no room, no server. */
import { assert, assertEquals } from "@std/assert";
import { Buffer } from "node:buffer";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import type { Page } from "playwright-core";
import { fixture } from "../fixtures.ts";
import { Child } from "../conformance/child.ts";
import { openPage } from "./chromium.ts";
import { axe, GOES_ON_MS, READY_MS, shown, viewerReady } from "./looks.ts";
import type { Scenario } from "./scenario.ts";
import { Stage } from "./stage.ts";

const CAPTURE = "captures/0.22.1-timeonly.bin";
const RECORDING = "rec-timeonly";
/** More than the six connections that a browser has to one server. */
const RECORDINGS = 8;
const MANY = 500;

/** What takes recordings. */
type Recorder = { readonly cli: { readonly port: number } };

/** Sends a short recording under another name of the same length. */
async function record({ cli: { port } }: Recorder, name: string): Promise<void> {
  assertEquals(name.length, RECORDING.length);
  const text = Buffer.from(fixture(CAPTURE)).toString("latin1").replaceAll(RECORDING, name);
  const bytes = Buffer.from(text, "latin1");
  await new Promise<void>((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.end(bytes));
    socket.once("error", reject).once("close", () => resolve()).resume();
  });
}

/** What has the focus. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const { id, tagName, className, ariaLabel } = document.activeElement!;
    return id || className || ariaLabel || tagName;
  });
}

export const HARD_TIMES: readonly Scenario[] = [
  {
    name: "goes through more recordings than a browser has connections",
    async play({ runtime, chromium }) {
      await using stage = await Stage.start(runtime);
      const names = Array.from({ length: RECORDINGS }, (_, i) => `rec-ended-0${i}`);
      for (const name of names) await record(stage, name);
      await using watched = await openPage(chromium);
      const { page, faults } = watched;
      await page.goto(stage.url);
      await viewerReady(page);
      for (const name of names) {
        await page.getByRole("button", { name: new RegExp(name) }).click();
        await shown(page, name);
      }
      const { hub } = await (await fetch(`${stage.url}status`)).json();
      assertEquals(hub.viewers.length, 1);
      assertEquals(faults, []);
    },
  },
  {
    name: "finds one of five hundred recordings on a phone, whatever letters it is searched with",
    async play({ runtime, chromium }) {
      await using stage = await Stage.start(runtime);
      for (let i = 0; i < MANY; i++) await record(stage, `run-${String(i).padStart(8, "0")}`);
      const row = (page: Page, name: string) =>
        page.locator("#recordings li").filter({ hasText: name });
      for (const colorScheme of ["dark", "light"] as const) {
        await using watched = await openPage(chromium, { width: 420, height: 820, colorScheme });
        const { page, faults } = watched;
        await page.goto(stage.url);
        await page.locator("#recordings li").nth(199).waitFor({ timeout: READY_MS });
        await page.getByText("300 more are not listed.", { exact: true }).waitFor();
        await row(page, `run-${String(MANY - 1).padStart(8, "0")}`).waitFor();
        const sort = page.getByLabel("Sort by");
        await sort.selectOption("oldest");
        await row(page, "run-00000000").waitFor({ timeout: GOES_ON_MS });
        // In full-width letters, as an input method of Japanese writes them.
        const search = page.getByLabel("Search recordings and files");
        await search.fill("ＲＵＮ-00000 277");
        await page.locator("#recordings li").nth(3).waitFor({
          state: "detached",
          timeout: GOES_ON_MS,
        });
        await row(page, "run-00000277").waitFor({ timeout: GOES_ON_MS });
        await axe(page);
        const wider = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert(wider <= 0, `${wider} pixels are out of sight`);
        await row(page, "run-00000277").getByRole("button").press("Enter");
        await shown(page, "run-00000277", READY_MS);
        await search.fill("nothing is called so");
        await page.getByText("No recording is found.").waitFor({ timeout: GOES_ON_MS });
        await axe(page);
        assertEquals(faults, []);
      }
    },
  },
  {
    name: "can be used with a keyboard alone",
    async play({ runtime, chromium }) {
      await using stage = await Stage.start(runtime);
      await record(stage, "rec-keyboard");
      await record(stage, "rec-keyboar2");
      await using watched = await openPage(chromium);
      const { page } = watched;
      await page.goto(stage.url);
      await viewerReady(page);
      await shown(page, "rec-keyboar2");
      const tab = async (key = "Tab") => {
        await page.keyboard.press(key);
        return await focused(page);
      };
      assertEquals(await tab(), "skip");
      assertEquals(await tab(), "toggle");
      for (let i = 0; i < 3; i++) await tab();
      await page.keyboard.press("Enter");
      await shown(page, "rec-keyboard");
      assertEquals(await tab(), "button download");
      assertEquals(await tab(), "Rerun viewer");
      assertEquals(await tab("Shift+Tab"), "button download");
      await tab();
      assertEquals(await tab(), "BODY");
    },
  },
  {
    name: "asks for the token",
    async play({ runtime, chromium }) {
      await using stage = await Stage.start(runtime, [], "0", { RERELAY_VIEWER_TOKEN: "s3cret" });
      await record(stage, "rec-guarded1");
      await using watched = await openPage(chromium);
      const { page, faults } = watched;
      await page.goto(stage.url);
      const input = page.getByLabel("Token");
      await input.waitFor({ timeout: READY_MS });
      assertEquals(await page.getByText("None yet").isVisible(), false);
      await axe(page);
      await input.fill("wrong");
      await page.waitForTimeout(1500); // it is asked again meanwhile, and what is typed must stay
      assertEquals(await input.inputValue(), "wrong");
      await Promise.all([page.waitForEvent("load"), input.press("Enter")]);
      await page.locator("#notice").getByText("This token is wrong").waitFor({ timeout: READY_MS });
      await axe(page);
      await input.fill("s3cret");
      await Promise.all([page.waitForEvent("load"), input.press("Enter")]);
      await viewerReady(page);
      await shown(page, "rec-guarded1");
      assert(!page.url().includes("s3cret"), page.url());
      assertEquals(faults, []);
    },
  },
  {
    name: "says why it is given nothing, and goes on once there is room",
    async play({ runtime, chromium }) {
      await using stage = await Stage.start(runtime, ["--max-viewers", "1"]);
      await record(stage, "rec-no-room1");
      const other = new AbortController();
      // Held: one that nobody has any more may be collected, and leaves.
      const held = await fetch(`${stage.url}stream.rrd`, { signal: other.signal });
      await using watched = await openPage(chromium);
      const { page } = watched;
      await page.goto(stage.url);
      await page.getByText("No more than 1 viewer may read at once").waitFor({ timeout: READY_MS });
      assert(held.ok);
      other.abort();
      await shown(page, "rec-no-room1", READY_MS);
    },
  },
  {
    name: "is shown in a folder of another server",
    async play({ runtime, chromium }) {
      const script = fileURLToPath(new URL("mounted.ts", import.meta.url));
      const args = runtime === "deno" ? ["run", "-A", "--no-check"] : ["run"];
      await using program = new Child([runtime, ...args, script]);
      const [, port, page] = await program.waitFor(/^ports (\d+) (\d+)$/m, READY_MS);
      await record({ cli: { port: Number(port) } }, "rec-mounted-");
      await using watched = await openPage(chromium);
      await watched.page.goto(`http://127.0.0.1:${page}/robot/`);
      await viewerReady(watched.page);
      await shown(watched.page, "rec-mounted-");
      assertEquals(watched.faults, []);
    },
  },
  {
    name: "says that the server is gone, and comes back with it",
    async play({ runtime, chromium }) {
      const stage = await Stage.start(runtime);
      await record(stage, "rec-before-1");
      await using watched = await openPage(chromium);
      const { page } = watched;
      await page.goto(stage.url);
      await viewerReady(page);
      await shown(page, "rec-before-1");
      const { port } = new URL(stage.url);
      await stage[Symbol.asyncDispose]();
      await page.getByText("does not answer").waitFor({ timeout: GOES_ON_MS });
      await using again = await Stage.start(runtime, [], port);
      await page.getByText("Waiting for data").waitFor({ timeout: GOES_ON_MS });
      await record(again, "rec-behind-1");
      await shown(page, "rec-behind-1");
    },
  },
];
