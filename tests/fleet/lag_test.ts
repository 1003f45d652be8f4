import { assertEquals, assertStringIncludes } from "@std/assert";
import { describe, it } from "node:test";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { Child } from "../conformance/child.ts";
import { NatsServer, noNats } from "../nats/nats_server.ts";

const CHILD = fileURLToPath(new URL("lag_child.ts", import.meta.url));

describe("the middle of the measurement of lag", () => {
  for (const role of ["middle", "bare-middle"]) {
    it(`ends where no robot logs: ${role}`, { skip: noNats, timeout: 60_000 }, async () => {
      await using nats = await NatsServer.start();
      const run = "Bun" in globalThis ? [CHILD] : ["run", "-A", "--no-check", CHILD];
      await using child = new Child([process.execPath, ...run, role, nats.url, "0.5"]);
      const { code, stderr } = await child.ended;
      assertEquals(code, 1);
      assertStringIncludes(stderr, "nothing has come for 0.5 s");
    });
  }
});
