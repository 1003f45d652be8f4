import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { statusLine } from "../../lib/cli/forward.ts";
import { runCli } from "./cli_process.ts";

const NONE = { messages: 0, bytes: 0, lastMs: 0 };
const LOST = { dropped: NONE, refused: NONE, unreadable: NONE };

describe("rerelay forward status", () => {
  it("says what waits, and that nothing does where files may only grow", () => {
    const line = (files: number, waitingFiles: number, waitingBytes: number) =>
      statusLine({ target: "nats://a:4222", files, waitingFiles, waitingBytes, ...LOST });
    assertEquals(line(3, 0, 0), "nats://a:4222: has all of 3 files");
    assertEquals(
      line(1, 1, 0),
      "nats://a:4222: has all that is written, and 1 of 1 file may grow",
    );
    assertEquals(line(3, 2, 1_500_000), "nats://a:4222: 1.50 MB wait, in 2 of 3 files");
  });

  it("says what never comes there", () => {
    const lastMs = Date.UTC(2026, 10, 30, 1, 2, 3, 4);
    const dropped = { messages: 120, bytes: 1_500_000, lastMs };
    const refused = { messages: 1, bytes: 20, lastMs };
    const line = (lost: Partial<typeof LOST>, waitingFiles = 0) =>
      statusLine({
        ...{ target: "nats://a:4222", files: 3, waitingFiles, waitingBytes: 0, ...LOST, ...lost },
      });
    const text = "removed before it was sent: 120 messages (1.50 MB), last on " +
      "2026-11-30T01:02:03Z";
    assertEquals(line({ dropped }), `nats://a:4222: has the rest of 3 files; ${text}`);
    assertEquals(
      line({ dropped, refused, unreadable: refused }, 1),
      "nats://a:4222: has the rest that is written, and 1 of 3 files may grow; " +
        `${text}; refused: 1 message (20 B), last on 2026-11-30T01:02:03Z; ` +
        "unreadable: 1 message (20 B), last on 2026-11-30T01:02:03Z",
    );
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

  it("says which argument is wrong before it looks for the folder", async () => {
    for (
      const [command, says] of [
        [["reset"], "--to oldest sends all again"],
        [["reset", "--to", "yesterday"], "--to oldest sends all again"],
        [["reset", "--to", "now", "--forward", "ftp://host"], "--forward ftp://host: expected"],
        [["reset", "--to", "now", "--json"], "--json is for rerelay forward status"],
        [["status", "--to", "now"], "are for rerelay forward reset"],
        [["status", "--forward", "nats://host"], "are for rerelay forward reset"],
      ] as const
    ) {
      const args = ["forward", ...command, "--save", "no/such/{part}.rrd"];
      const { code, stderr } = await runCli(args);
      assertEquals([code, stderr.includes(says)], [2, true], `${command.join(" ")}: ${stderr}`);
    }
  });
});
