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

  it("refuses what can't be meant, and shows no password", () => {
    const wrong: [string[], RegExp][] = [
      [["--from=http://me:secret@a"], /--from … *: expected nats:/],
      [["--from=nats://me:secret@a b"], /HOST:PORT/],
      [["--from-box=a"], /--from-box chooses .* add --from/],
      [["--from=nats://a", "--from-box=,"], /names/],
      [["--from=nats://a", "--nats-replicas=6"], /1 to 5/],
      [["--from=nats://a", "--nats-cert=a.pem"], /--nats-key/],
    ];
    for (const [args, expected] of wrong) {
      const error = assertThrows(() => fromOf(...args), UsageError);
      assert(expected.test(error.message), error.message);
      assert(!error.message.includes("secret"), error.message);
    }
  });
});
