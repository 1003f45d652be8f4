import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import { parseCliArgs } from "../../../lib/cli/args/args.ts";
import { UsageError } from "../../../lib/cli/args/arg_reader.ts";

const defaults = {
  bind: "127.0.0.1",
  port: 9876,
  maxLatencySec: Infinity,
  drainSec: 600,
  limits: {},
  quiet: false,
  logLevel: "info",
  logFormat: "text",
};

function options(...args: string[]) {
  const command = parseCliArgs(args);
  if (command.command !== "host") throw new Error(`not to host but ${command.command}`);
  return command.options;
}

describe("options of --serve-web", () => {
  const defaults = {
    openBrowser: false,
    socketPort: 9877,
    pagePort: 9090,
    latencySec: Infinity,
    newestFirst: false,
    maxViewers: 256,
    allowHosts: [],
    allowOrigins: [],
  };

  it("have defaults, and are absent without it", () => {
    assertEquals(options().viewers, undefined);
    assertEquals(options("--serve-web").viewers, defaults);
    assertEquals(options("--web-viewer").viewers, { ...defaults, openBrowser: true });
  });

  it("are all read", () => {
    const pairs = [
      ["--ws-server-port", "1"],
      ["--web-viewer-port", "0"],
      ["--server-memory-limit", "12.5%"],
      ["--viewer-queue", "1GiB"],
      ["--viewer-latency", "2s"],
      ["--max-viewers", "3"],
      ["--allow-host", "robot.local,10.0.0.5,fd00::5"],
      ["--allow-origin", "https://EXAMPLE.com/,http://10.0.0.7:8080"],
      ["--viewer-token-file", "token.txt"],
    ];
    assertEquals(options("--serve-web", "--newest-first", ...pairs.flat()).viewers, {
      openBrowser: false,
      socketPort: 1,
      pagePort: 0,
      memoryLimit: { share: 0.125 },
      queueBytes: 2 ** 30,
      latencySec: 2,
      newestFirst: true,
      maxViewers: 3,
      allowHosts: ["robot.local", "10.0.0.5", "fd00::5"],
      allowOrigins: ["https://example.com", "http://10.0.0.7:8080"],
      tokenFile: { path: "token.txt", where: "--viewer-token-file" },
    });
    const { memoryLimit } = options("--serve-web", "--server-memory-limit", "4GiB").viewers!;
    assertEquals(memoryLimit, { bytes: 2 ** 32 });
  });

  it("are refused where they make no sense, a token without showing it", () => {
    for (
      const [text, ...args] of [
        ["add --serve-web", "--viewer-queue", "1MiB"],
        ["add --serve-web", "--newest-first"],
        ["up to 100%", "--serve-web", "--server-memory-limit", "101%"],
        ["above 0%", "--serve-web", "--server-memory-limit", "0%"],
        ["above 0", "--serve-web", "--max-viewers", "0"],
        ["without ports", "--serve-web", "--allow-host", "a/b"],
        ["https://example.com", "--serve-web", "--allow-origin", "*"],
        ["65535", "--serve-web", "--ws-server-port", "65536"],
      ]
    ) {
      assertThrows(() => options(...args), UsageError, text);
    }
    const error = assertThrows(
      () => options("--serve-web", "--viewer-token", "s3cret"),
      UsageError,
      "say --viewer-token-file FILE, or set RERELAY_VIEWER_TOKEN",
    );
    assert(!error.message.includes("s3"), error.message);
  });

  it("take the token of the environment, if none is given", () => {
    const token = (value: string, ...args: string[]) => {
      const env = (name: string) => name === "RERELAY_VIEWER_TOKEN" ? value : undefined;
      const command = parseCliArgs(["--serve-web", ...args], { env });
      return command.command === "host" ? command.options.viewers?.token : undefined;
    };
    assertEquals(token("s3cret"), "s3cret");
    assertEquals(token("s3cret", "--viewer-token-file", "other"), undefined);
    assertEquals(token(""), undefined);
    const error = assertThrows(
      () => token("s3 cret"),
      UsageError,
      "RERELAY_VIEWER_TOKEN …: expected",
    );
    assert(!error.message.includes("s3"), error.message);
  });
});

describe("arguments", () => {
  it("have defaults", () => assertEquals(options() as unknown, defaults));

  it("are all read, with = and with a space", () => {
    const expected = {
      bind: "0.0.0.0",
      port: 0,
      save: {
        path: "12-{part}.rrd",
        force: false,
        sync: "always",
        rotation: { maxBytes: 1e9, maxAgeSec: 600 },
        keep: { files: 20, bytes: 5e10 },
        compress: "lz4",
        rrdFormat: "current",
        chunkIndex: false,
        onError: "stop",
        readyFreeBytes: 64 * 2 ** 20,
      },
      maxLatencySec: 0.2,
      drainSec: 600,
      limits: { channelLimitBytes: 1_610_612_736 },
      quiet: true,
      logLevel: "trace",
      logFormat: "json",
    };
    const pairs = [
      ["--bind", "0.0.0.0"],
      ["--port", "0"],
      ["--save", "12-{part}.rrd"],
      ["--sync", "always"],
      ["--rotate-size", "1GB"],
      ["--rotate-every", "10m"],
      ["--keep", "20"],
      ["--keep-size", "50GB"],
      ["--compress", "lz4"],
      ["--rrd-format", "current"],
      ["--chunk-index", "off"],
      ["--on-save-error", "stop"],
      ["--drop-at-latency", "200ms"],
      ["--channel-limit", "1.5GiB"],
      ["--log-level", "trace"],
      ["--log-format", "json"],
    ];
    assertEquals(options(...pairs.flat(), "--quiet") as unknown, expected);
    assertEquals(
      options(...pairs.map((pair) => pair.join("=")), "--quiet") as unknown,
      expected,
    );
  });

  it("take addresses of both families", () => {
    for (
      const bind of ["localhost", "::1", "::", "fe80::1%eth0", "192.168.0.7", "müller.example"]
    ) {
      assertEquals(options("--bind", bind).bind, bind);
    }
    assertEquals(options("--bind", "[::1]").bind, "::1");
  });

  it("take a file whose name starts with a dash", () => {
    const { path, sync, rotation } = options("--save=-x.rrd").save!;
    assertEquals([path, sync, rotation], ["-x.rrd", "interval", {}]);
    assertEquals(options("--save", "a", "--force").save!.force, true);
  });

  it("give help and version, help even beside mistakes", () => {
    assertEquals(parseCliArgs(["--help"]), { command: "help" });
    assertEquals(parseCliArgs(["-h"]), { command: "help" });
    assertEquals(parseCliArgs(["--prot", "1", "--help"]), { command: "help" });
    for (const flag of ["--version", "-V"]) {
      assertEquals(parseCliArgs([flag]), { command: "version", json: false });
      assertEquals(parseCliArgs([flag, "--json"]), { command: "version", json: true });
    }
  });
});

describe("wrong arguments", () => {
  const cases: [string[], string][] = [
    [["--prot", "1"], "unknown option --prot; did you mean --port?"],
    [["--PORT=1"], "unknown option --PORT; did you mean --port?"],
    [["--log_level", "debug"], "unknown option --log_level; did you mean --log-level?"],
    [["--drop"], "unknown option --drop; did you mean --drop-at-latency?"],
    [["--json"], "unknown option --json"],
    [["--no-save"], "unknown option --no-save; did you mean --save?"],
    [["--grpc-viewer"], "unknown option --grpc-viewer; see --help"],
    [["--__proto__=1"], "unknown option --__proto__; see --help"],
    [["--save.x=1"], "unknown option --save.x; did you mean --save?"],
    [["-p", "9876"], "unknown option -p; see --help"],
    [["--\x1b[2J"], "unknown option --\\u{1b}[2J; see --help"],
    [["--port"], "--port needs a value, such as --port 9876"],
    [["--port="], "--port needs a value, such as --port 9876"],
    [["--save", "--force"], "--save needs a value, such as --save recording.rrd"],
    [["--port", "-1"], "--port needs a value, such as --port 9876"],
    [["--port=-1"], "--port -1: expected a number from 0 to 65535, such as 9876"],
    [["--port", "65536"], "--port 65536: expected a number from 0 to 65535"],
    [["--port", "1e3"], "--port 1e3: expected a number"],
    [["--port", "0x10"], "--port 0x10: expected a number"],
    [["--port", "80.5"], "--port 80.5: expected a number"],
    [["--port", "1", "--port", "2"], "--port is given twice: leave one out"],
    [["--quiet", "--quiet"], "--quiet is given twice"],
    [["--quiet=yes"], "--quiet takes no value: write --quiet alone"],
    [["--quiet", "false"], "--quiet takes no value"],
    [["--bind", "127.0.0.1:9876"], "write --bind 127.0.0.1 --port 9876"],
    [["--bind", "[::1]:80"], "write --bind ::1 --port 80"],
    [["--bind", "http://x"], "--bind http://x: expected an address of this machine"],
    [["--bind", "a b"], "--bind a b: expected an address"],
    [["--channel-limit", "256"], "--channel-limit 256: expected a size"],
    [["--channel-limit", "1gb"], "--channel-limit 1gb: unknown unit gb; write 1GB"],
    [["--channel-limit", "0B"], "--channel-limit 0B: expected a size above 0"],
    [["--drop-at-latency", "200"], "--drop-at-latency 200: expected a duration"],
    [["--drop-at-latency", "0s"], "--drop-at-latency 0s: expected a duration above 0"],
    [
      ["--log-level", "warning"],
      "--log-level warning: expected error, warn, info, debug, trace; " +
      "did you mean warn?",
    ],
    [["--log-level", "loud"], "--log-level loud: expected error, warn, info, debug, trace"],
    [["--allow", "10.0.0.0/33"], '--allow 10.0.0.0/33: "10.0.0.0/33" is not an address or network'],
    [["--allow", "10.0.0.0/8,"], "expected such as 192.168.1.7, 10.0.0.0/8 or fd00::/8"],
    [["--max-clients", "0"], "--max-clients 0: expected a number above 0"],
    [["--max-text", "1000"], "--max-text 1000: expected a size"],
    [["--idle-timeout", "60"], "--idle-timeout 60: expected a duration"],
    [["--on-bad-arrow", "keep"], "--on-bad-arrow keep: expected save, drop, close"],
    [["--log-format", "JSON"], "did you mean json?"],
    [["--force"], "--force replaces the file of --save: add --save FILE"],
    [["--sync", "always"], "--sync is about --save: add --save PATTERN"],
    [["--save", "a.rrd", "--sync", "often"], "--sync often: expected never, interval, always"],
    [["--save", "a.rrd", "--rotate-size", "1GB"], "put {part}, {date} or {time} into --save"],
    [
      ["--save", "{recording_id}.rrd", "--rotate-every", "1m"],
      "--rotate-every makes several files",
    ],
    [["--save", "{id}.rrd"], "--save {id}.rrd: there is no {id}; there are {application_id}"],
    [["--save", "{date}/a.rrd"], "only the file's name may have braces"],
    [["--save", "a-{part}"], "a name with braces must end with .rrd"],
    [["--save", "a.rrd", "--keep", "3"], "--keep is about several files"],
    [["--save", "{part}.rrd", "--keep", "0"], "--keep 0: expected a number above 0"],
    [["--save", "{part}.rrd", "--force"], "leave --force out"],
    [["out.rrd"], "unexpected argument out.rrd; to write to it: --save out.rrd"],
    [["serve"], "unexpected argument serve; see --help"],
    [["--", "--port"], "unknown option --port"],
    [["42"], "unexpected argument 42; see --help"],
    [["-"], "unknown option -; see --help"],
  ];
  for (const [args, message] of cases) {
    it(JSON.stringify(args), () => {
      const error = assertThrows(() => parseCliArgs(args), UsageError, message);
      assert(!error.message.includes("\n"));
    });
  }
});
