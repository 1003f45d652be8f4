import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { NatsIntake, troubleOf } from "../../../lib/cli/host/nats.ts";
import { freePorts } from "../../free_ports.ts";
import { Cli } from "../cli_process.ts";
import { silentLog } from "../../../lib/base/log.ts";

const name = "nats://a:4222";

describe("the part nats of /readyz", () => {
  it("is ready while the stream is read, and for a minute without it", () => {
    const trouble = (wasConnected: boolean, outageSec: number) =>
      troubleOf({ name, wasConnected, outageSec });
    assertEquals(trouble(true, 0), undefined);
    assertEquals(trouble(true, 60), undefined);
    assertEquals(trouble(true, 61), `nothing could be read from ${name} for 1 min 1 s`);
    assertEquals(trouble(false, 0.1), `nothing could be read from ${name} so far`);
    assertEquals(troubleOf(undefined), "what an earlier run left is recovered first");
  });

  it("says why nothing could begin", async () => {
    const from = { url: name, nats: { replicas: 1 } } as never;
    const intake = new NatsIntake(from, undefined, { credentials: {}, log: silentLog });
    const server = {
      join() {
        throw new Error("no room");
      },
    };
    await intake.begin(server, undefined);
    assertEquals(intake.trouble, "Nothing is received from NATS: no room");
    await intake.sink.close();
  });

  it("is asked on the port, which is not ready without NATS", { timeout: 60_000 }, async () => {
    const [port] = await freePorts(1);
    const cli = new Cli(["--port", `${port}`, "--from", "nats://127.0.0.1:1"]);
    await cli.sees(/Reads nothing from nats:\/\/127\.0\.0\.1:1 now/);
    const response = await fetch(`http://127.0.0.1:${port}/readyz`);
    const nats = "nothing could be read from nats://127.0.0.1:1 so far";
    assertEquals(
      [response.status, await response.json()],
      [503, { ready: false, checks: { nats, port: "ok" } }],
    );
    cli.signal("SIGTERM");
    assertEquals((await cli.ended).code, 0);
  });
});
