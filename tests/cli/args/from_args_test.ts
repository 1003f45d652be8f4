import { assert, assertEquals, assertThrows } from "@std/assert";
import { describe, it } from "node:test";
import { UsageError } from "../../../lib/cli/args/arg_reader.ts";
import { parseCliArgs } from "../../../lib/cli/args/args.ts";
import { configSettings } from "../../../lib/cli/args/config_file.ts";
import { SETTABLE } from "../../../lib/cli/args/option_table.ts";

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

  it("takes secrets of NATS from the environment and the file, or from files of their own", () => {
    const file = configSettings('nats-user = "me"\nnats-password = "hush hush"', "r", SETTABLE);
    const nats = (env: Record<string, string>, ...args: string[]) => {
      const sources = { env: (name: string) => env[name], file };
      const parsed = parseCliArgs(["--from=nats://a", ...args], sources);
      return parsed.command === "host" ? parsed.options.from?.nats : undefined;
    };
    const all = { user: "me", replicas: 1 };
    assertEquals(nats({}), { ...all, password: "hush hush" });
    assertEquals(nats({ RERELAY_NATS_PASSWORD: "other", RERELAY_NATS_TOKEN: "t" }), {
      ...all,
      password: "other",
      token: "t",
    });
    assertEquals(nats({ RERELAY_NATS_TOKEN: "t" }, "--nats-token-file=x", "--nats-user=you"), {
      user: "you",
      replicas: 1,
      password: "hush hush",
      tokenFile: { path: "x", where: "--nats-token-file" },
    });
    assertEquals(nats({}, "--nats-password-file=p")?.passwordFile?.path, "p");
  });

  it("refuses what can't be meant, and shows no password", () => {
    const wrong: [string[], RegExp][] = [
      [["--from=nats://me:hush@a"], /--from would show a secret .* set RERELAY_FROM/],
      [["--save={part}.rrd", "--forward=nats://b,me:hush@a"], /set RERELAY_FORWARD/],
      [["--save={part}.rrd", "--forward=rerun+http://b/proxy nats://me:hush@a"], /_FORWARD/],
      [["--from=nats://a", "--nats-token=hush"], /say --nats-token-file FILE, or set RERELAY_NATS/],
      [["--from=nats://a", "--nats-password=hush"], /say --nats-password-file FILE/],
      [["--from=nats://a", "--nats-user=me"], /set RERELAY_NATS_PASSWORD/],
      [["--from=nats://a", "--nats-password-file=p"], /--nats-user NAME/],
      [["--nats-token-file=t"], /--nats-token-file is about NATS: add --forward nats:/],
      [
        ["--nats-ca=t", "--forward=rerun+http://b:1/proxy", "--save={part}.rrd"],
        /--nats-ca is about NATS/,
      ],
      [["--from=http://a"], /--from … *: expected nats:/],
      [["--from=nats://a b"], /HOST:PORT/],
      [["--from-box=a"], /--from-box chooses .* add --from/],
      [["--from=nats://a", "--from-box=,"], /names/],
      [["--from=nats://a", "--nats-replicas=6"], /1 to 5/],
      [["--from=nats://a", "--nats-cert=a.pem"], /--nats-key/],
      [
        ["--forward=rerun+http://a", "--forward=s3://b/c", "--save={part}.rrd"],
        /--forward s3:\/\/b\/c: expected .* 3 to 63 small letters/,
      ],
      [
        ["--forward=nats://a,b", "--forward=nats://b:4222", "--save={part}.rrd"],
        /--forward names nats:\/\/b:4222 twice/,
      ],
      [
        ["--forward=rerun+http://a/proxy", "--forward=rerun+http://a:9876", "--save={part}.rrd"],
        /--forward names rerun\+http:\/\/a:9876\/proxy twice/,
      ],
      [
        ["--from=nats://a,b", "--forward=nats://b", "--save={part}.rrd"],
        /--from and --forward are both nats:\/\/b:4222.*without end/,
      ],
      [
        ["--forward=rerun+http://localhost", "--save={part}.rrd"],
        /--forward rerun\+http:\/\/localhost:9876\/proxy is this server itself.*another --port/,
      ],
      [
        ["--forward=rerun+http://[::1]:1/proxy", "--save={part}.rrd", "--bind=::", "--port=1"],
        /is this server itself/,
      ],
      ...[
        ["--forward=rerun+http://127.0.0.2:1", "--bind=0.0.0.0"],
        ["--forward=rerun+http://localhost:1", "--bind=::1"],
        ["--forward=rerun+http://127.0.0.1:1", "--bind=localhost"],
        ["--forward=rerun+http://127.0.0.2:1", "--bind=127.0.0.2"],
      ].map((args): [string[], RegExp] => [
        [...args, "--save={part}.rrd", "--port=1"],
        /is this server itself/,
      ]),
      [
        ["--forward=rerun+http://10.0.0.5:1", "--save={part}.rrd", "--bind=10.0.0.5", "--port=1"],
        /is this server itself/,
      ],
    ];
    for (const [args, expected] of wrong) {
      const error = assertThrows(() => fromOf(...args), UsageError);
      assert(expected.test(error.message), error.message);
      assert(!error.message.includes("hush"), error.message);
    }
  });

  it("takes another server of this machine", () => {
    const elsewhere = [
      ["--forward=rerun+http://localhost:9877"],
      ["--forward=rerun+http://127.0.0.2:9876"],
      ["--forward=rerun+http://127.0.0.1:9876", "--bind=127.0.0.2"],
      ["--forward=rerun+http://127.0.0.1:9876", "--bind=::1"],
      ["--forward=rerun+http://[::1]:9876", "--bind=0.0.0.0"],
      ["--forward=rerun+http://localhost", "--port=9877"],
      ["--forward=rerun+http://127.0.0.1:9876", "--bind=10.0.0.5"],
      ["--forward=rerun+http://10.0.0.6:9876", "--bind=0.0.0.0"],
    ];
    for (const args of elsewhere) {
      const parsed = parseCliArgs(["--save={part}.rrd", ...args]);
      assertEquals(parsed.command === "host" && parsed.options.forward?.targets.length, 1);
    }
  });
});
