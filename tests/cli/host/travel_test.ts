/** What the command line sets up for NATS: one identity for all targets, and files that can be read. */
import { describe, it } from "node:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { UsageError } from "../../../lib/cli/args/arg_reader.ts";
import { parseCliArgs } from "../../../lib/cli/args/args.ts";
import { travelOf } from "../../../lib/cli/host/travel.ts";
import { silentLog } from "../../../lib/base/log.ts";
import { connectNats } from "../../../lib/nats/connection.ts";
import { recordingSubject } from "../../../lib/nats/subjects.ts";
import { rrdFileSink } from "../../../lib/sinks/file/rrd_file.ts";
import { announcement, chunk, received } from "../../forward/chunks.ts";
import { until } from "../../forward/until.ts";
import { NatsServer, noNats } from "../../nats/nats_server.ts";

async function travel(args: readonly string[]) {
  const command = parseCliArgs(args);
  assert(command.command === "host");
  return await travelOf(command.options, { env: () => undefined }, silentLog);
}

describe("travelOf", () => {
  it("refuses a target without its keys, and fails nowhere else", async () => {
    // What rejects before anybody waits for it would end the program with a trace in place of this.
    const args = ["--save", "rec-{part}.rrd", "--forward", "s3://fleet/box-7"];
    await assertRejects(() => travel(args), RangeError, "AWS_SECRET_ACCESS_KEY in the environment");
  });

  it("gives a box one identity, for several targets that ask at once", {
    ...{ skip: noNats, timeout: 60_000 },
  }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "rerelay-travel-"));
    await using one = await NatsServer.start();
    await using two = await NatsServer.start();
    try {
      const save = join(folder, "{recording_id}-{part}.rrd");
      const { forwarding } = await travel([
        ...["--save", save, "--box", "box-7"],
        ...["--forward", one.url, "--forward", two.url],
      ]);
      const sink = await rrdFileSink({ path: save, followers: forwarding });
      await sink.write([received(announcement("a")), received(chunk("a", 0))]);
      const areSent = () => forwarding.every(({ stats }) => stats.sent.messages === 2);
      while (!areSent()) await new Promise((resolve) => setTimeout(resolve, 5));
      await sink.close();
      const { box } = JSON.parse(readFileSync(join(folder, ".rerelay-box.json"), "utf8"));
      const subject = recordingSubject({ box: "box-7", application: "robot", recording: "a" });
      for (const { url } of [one, two]) {
        const nats = await connectNats({ url, clientName: "test" });
        const last = await nats.manager.streams.getMessage("RERELAY", { last_by_subj: subject });
        assertEquals(last?.header.get("Rerelay-Box"), box);
        await nats.connection.close();
      }
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("puts the identity back that was removed with its folder", { timeout: 60_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), "rerelay-travel-"));
    const box = join(folder, ".rerelay-box.json");
    try {
      const save = join(folder, "{recording_id}-{part}.rrd");
      // Nobody is there; the identity is asked for all the same.
      const { followers } = await travel(["--save", save, "--forward", "nats://127.0.0.1:1"]);
      const sink = await rrdFileSink({ path: save, followers });
      const write = async (number: number) => {
        await sink.write([received(announcement(`r${number}`)), received(chunk(`r${number}`, 0))]);
        await sink.confirm()().catch(() => {}); // of what was removed some is lost
      };
      await write(0);
      await until(() => existsSync(box));
      const identity = readFileSync(box, "utf8");
      rmSync(folder, { recursive: true });
      mkdirSync(folder);
      for (let number = 1; !existsSync(box) && number < 100; number++) await write(number);
      await sink.close().catch(() => {}); // the same
      assertEquals(readFileSync(box, "utf8"), identity);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });

  it("does not begin with a file of credentials that can't be read", async () => {
    for (const option of ["--nats-credentials", "--nats-ca"]) {
      const error = await assertRejects(
        () => travel(["--from", "nats://127.0.0.1:1", option, "/no/such/file"]),
        UsageError,
      );
      assert(error.message.startsWith(`${option} /no/such/file can't be read`), error.message);
    }
  });
});
