/// <reference lib="dom" />
/** The page after a link was cut, and after the server began anew: it must be live again. */
import { assertEquals } from "@std/assert";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import type { Page } from "playwright-core";
import { openPage } from "./chromium.ts";
import { LIVE_MS, newestFrame, READY_MS, shown, viewerReady } from "./looks.ts";
import type { Scenario } from "./scenario.ts";
import { Stage } from "./stage.ts";

/** A link to a port of this machine that can be cut. */
class Link implements AsyncDisposable {
  readonly #sockets = new Set<Socket>();
  readonly #server = createServer((from) => {
    const to = connect(this.target, "127.0.0.1");
    for (const socket of [from, to]) {
      this.#sockets.add(socket);
      // Whoever is at the other end hears of it: both ends go together.
      socket.on("error", () => {}).on("close", () => {
        from.destroy();
        to.destroy();
        this.#sockets.delete(socket);
      });
    }
    from.pipe(to).pipe(from);
  });

  private constructor(readonly target: number) {}

  static async start(target: number): Promise<Link> {
    const link = new Link(target);
    await new Promise<void>((resolve) => link.#server.listen(0, "127.0.0.1", resolve));
    return link;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** Cuts all connections that there are. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}

/** Waits until the viewer has newer frames of a recording than it has now. */
async function goesOn(page: Page, recording: string): Promise<void> {
  const before = await newestFrame(page, recording, -1);
  await newestFrame(page, recording, before + 10);
}

export const REOPENING: readonly Scenario[] = ["0.22.1", "0.41.0"].flatMap((version) => [
  {
    name: `is live again after the link was cut, SDK ${version}`,
    async play({ runtime, chromium, sdk }) {
      await using stage = await Stage.start(runtime);
      await using link = await Link.start(Number(new URL(stage.url).port));
      stage.robot(await sdk(version), 110, "cut", "warehouse_robot", 0.2);
      await using watched = await openPage(chromium);
      const { page, faults } = watched;
      await page.goto(link.url);
      await viewerReady(page);
      await shown(page, "cut", LIVE_MS);
      for (let i = 0; i < 2; i++) {
        await goesOn(page, "cut");
        link.cut();
      }
      await goesOn(page, "cut");
      assertEquals(faults, []);
    },
  },
  {
    name: `is live again after the server began anew, SDK ${version}`,
    async play({ runtime, chromium, sdk }) {
      const before = await Stage.start(runtime);
      before.robot(await sdk(version), 60, "before", "warehouse_robot", 0.2);
      await using watched = await openPage(chromium);
      const { page } = watched;
      await page.goto(before.url);
      await viewerReady(page);
      await shown(page, "before", LIVE_MS);
      await goesOn(page, "before");
      const { port } = new URL(before.url);
      await before[Symbol.asyncDispose]();
      await page.getByText("does not answer").waitFor({ timeout: READY_MS });
      await using after = await Stage.start(runtime, [], port);
      after.robot(await sdk(version), 60, "after", "warehouse_robot", 0.2);
      await shown(page, "after", LIVE_MS);
      await goesOn(page, "after");
    },
  },
]);
