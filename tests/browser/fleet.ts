/// <reference lib="dom" />
/** Boxes on the page of the middle, and where recordings travel to on the page of a box. */
import { assert, assertEquals } from "@std/assert";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { NatsServer, noNats } from "../nats/nats_server.ts";
import { openPage } from "./chromium.ts";
import { axe, events, GOES_ON_MS, READY_MS, shown, viewerReady } from "./looks.ts";
import type { Scenario } from "./scenario.ts";
import { Stage } from "./stage.ts";

/** The row's button that opens what a box logs. */
function boxRow(page: Page, box: string) {
  return page.locator("#fleet").getByRole("button", { name: new RegExp(`^${box}`) });
}

/** Whether something is beyond the right edge, which nobody would find on a phone. */
function overflow(page: Page): Promise<number> {
  return page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
}

export const FLEET: readonly Scenario[] = [
  {
    name: "shows boxes that send by NATS, and opens what one of them logs",
    ...(noNats !== false && { onRequest: noNats }),
    async play({ runtime, chromium, sdk, screenshots }) {
      const folder = mkdtempSync(join(tmpdir(), "rerelay-boxes-"));
      await using nats = await NatsServer.start();
      const box = (name: string) => {
        const save = join(folder, name, "{recording_id}-{part}.rrd");
        return Stage.start(runtime, ["--save", save, "--forward", nats.url, "--box", name]);
      };
      try {
        await using middle = await Stage.start(runtime, ["--from", nats.url]);
        await using first = await box("box-1");
        await using second = await box("box-2");
        const real = await sdk("0.22.1");
        first.robot(real, 90, "arm-run", "arm");
        first.robot(real, 90, "base-run", "base", 0.2);
        second.robot(real, 90, "lift-run", "lift", 0.2);
        await using watched = await openPage(chromium);
        const { page, faults } = watched;
        await page.goto(middle.url);
        await boxRow(page, "box-2").waitFor({ timeout: READY_MS });
        await page.getByText(/^2 of 2 live, 3 recordings, up to .* behind$/)
          .waitFor({ timeout: GOES_ON_MS });
        await page.locator("#fleet").getByText(/live \d.*B\/s · .* behind/).first()
          .waitFor({ timeout: GOES_ON_MS });
        await viewerReady(page);
        await axe(page);
        // One click opens one live.
        await boxRow(page, "box-2").click();
        await shown(page, "lift-run", READY_MS);
        await events(page, 2, GOES_ON_MS);
        await page.waitForFunction(() =>
          document.querySelector("#fleet .chosen .name")?.textContent === "box-2"
        );
        // And by the keyboard, a certain recording of a box that has several.
        const arm = page.locator("#fleet .inner").getByRole("button", { name: /arm-run/ });
        await arm.focus();
        await page.keyboard.press("Enter");
        await shown(page, "arm-run", READY_MS);
        await page.waitForFunction(() =>
          document.querySelector('#fleet .inner [aria-pressed="true"]')?.textContent
            ?.includes("arm-run")
        );
        if (screenshots !== undefined) {
          await page.waitForTimeout(8000);
          await page.screenshot({ path: `${screenshots}/fleet.png` });
        }
        await page.emulateMedia({ colorScheme: "light" });
        await axe(page);
        await page.emulateMedia({ colorScheme: "dark" });
        await page.setViewportSize({ width: 420, height: 820 });
        await axe(page);
        assert(await overflow(page) <= 0, `${await overflow(page)} pixels are out of sight`);

        await using watchedBox = await openPage(chromium, { width: 420, height: 820 });
        const own = watchedBox.page;
        await own.goto(first.url);
        await own.getByText(/^nats:.* behind, last acknowledged \d\d:\d\d:\d\d$/)
          .waitFor({ timeout: READY_MS });
        assertEquals(await own.locator("#fleet-section").isVisible(), false);
        assertEquals([...faults, ...watchedBox.faults], []);
        await nats.kill();
        await own.getByText(/^nats:.*: out of reach for .*, .* wait, last acknowledged/)
          .waitFor({ timeout: READY_MS });
        await page.getByText(/^NATS is out of reach for/).waitFor({ timeout: READY_MS });
        await axe(own);
        assert(await overflow(own) <= 0, `${await overflow(own)} pixels are out of sight`);
        await nats.start();
        await page.getByText(/^2 of 2 live/).waitFor({ timeout: READY_MS });
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    },
  },
];
