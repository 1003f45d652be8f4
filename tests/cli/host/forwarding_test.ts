import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { Readiness } from "../../../lib/base/readiness.ts";
import { tellForwarding } from "../../../lib/cli/host/forwarding.ts";
import { silentLog } from "../../../lib/base/log.ts";

type Options = Parameters<typeof tellForwarding>;

/** Whether a server is ready whose targets are so many seconds behind. */
async function readyWith(readyLagSec: number, ...lags: number[]) {
  const readiness = new Readiness();
  const options = { forward: { readyLagSec }, save: { keep: {}, rotation: {} }, quiet: true };
  const forwarders = lags.map((lagSec, i) => ({
    name: `rerun+http://host-${i}`,
    stats: { target: `rerun+http://host-${i}`, lagSec },
  }));
  const [, , ...rest] = [undefined, undefined, silentLog, readiness] as const;
  tellForwarding(options as unknown as Options[0], forwarders as unknown as Options[1], ...rest);
  return await readiness.report();
}

describe("a server that forwards", () => {
  it("is ready while no target is too far behind", async () => {
    assertEquals(await readyWith(600, 0, 600), { ready: true, checks: { forwarding: "ok" } });
    assertEquals((await readyWith(Infinity, 1e9)).ready, true);
  });

  it("says which one is", async () => {
    const { ready, checks } = await readyWith(600, 3, 700.4);
    assertEquals(ready, false);
    assertEquals(
      checks["forwarding"],
      "rerun+http://host-1 is 11 min 40 s behind, more than --ready-lag 10 min 0 s",
    );
  });
});
