import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { statusLine } from "../../lib/cli/forward.ts";
import { runCli } from "./cli_process.ts";

describe("rerelay forward status", () => {
  it("says what waits, and that nothing does where files may only grow", () => {
    const line = (files: number, waitingFiles: number, waitingBytes: number) =>
      statusLine({ target: "nats://a:4222", files, waitingFiles, waitingBytes });
    assertEquals(line(3, 0, 0), "nats://a:4222: has all of 3 files");
    assertEquals(
      line(1, 1, 0),
      "nats://a:4222: has all that is written, and 1 of 1 file may grow",
    );
    assertEquals(line(3, 2, 1_500_000), "nats://a:4222: 1.50 MB wait, in 2 of 3 files");
  });
});

describe("rerelay forward", () => {
  it("says that a folder is not there, and which option names it", async () => {
    for (const command of [["status"], ["reset", "--to", "now"]]) {
      const { code, stderr } = await runCli([
        "forward",
        ...command,
        "--save",
        "no/such/{part}.rrd",
      ]);
      assertEquals(code, 1);
      assertEquals(stderr, "error: there is no folder no/such/: --save is to be the server's\n");
    }
  });
});
