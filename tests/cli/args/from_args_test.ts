import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "node:test";
import { UsageError } from "../../../lib/cli/args/arg_reader.ts";
import { parseCliArgs } from "../../../lib/cli/args/args.ts";

function fromOf(...args: string[]) {
  const parsed = parseCliArgs(args);
  return parsed.command === "host" ? parsed.options.from : undefined;
}

describe("--from", () => {
  it("says where from, what, and as whom", () => {
    assertEquals(fromOf(), undefined);
    const args = ["--from=nats://a:4222,b", "--from-box=box-7, box-8", "--nats-replicas=3"];
    assertEquals(fromOf(...args, "--nats-credentials=me.creds"), {
      url: "nats://a:4222,b",
      nats: { credentialsFile: "me.creds", replicas: 3 },
      boxes: ["box-7", "box-8"],
      applications: [],
      recordings: [],
    });
  });

  it("may send on to another stream than the one that it receives from", () => {
    const args = ["--from=nats://a", "--forward=nats://b", "--save={part}.rrd", "--box=hall-1"];
    const parsed = parseCliArgs(args);
    const forward = parsed.command === "host" ? parsed.options.forward : undefined;
    assertEquals(forward?.box, "hall-1");
    assertEquals(forward?.nats, { replicas: 1 });
  });

  it("refuses what can't be meant, and shows no password", () => {
    const wrong: [string[], RegExp][] = [
      [["--from=nats://me:hush@a"], /--from would show a secret .* set RERELAY_FROM/],
      [["--save={part}.rrd", "--forward=nats://b,me:hush@a"], /set RERELAY_FORWARD/],
      [["--from=http://a"], /--from … *: expected nats:/],
      [["--from=nats://a b"], /HOST:PORT/],
      [["--from-box=a"], /--from-box chooses .* add --from/],
      [["--from=nats://a", "--from-box=,"], /names/],
      [["--from=nats://a", "--nats-replicas=6"], /1 to 5/],
      [["--from=nats://a", "--nats-cert=a.pem"], /--nats-key/],
      [
        ["--from=nats://a,b", "--forward=nats://b", "--save={part}.rrd"],
        /--from and --forward are both nats:\/\/b:4222.*without end/,
      ],
    ];
    for (const [args, expected] of wrong) {
      const error = assertThrows(() => fromOf(...args), UsageError);
      assert(expected.test(error.message), error.message);
      assert(!error.message.includes("hush"), error.message);
    }
  });
});
