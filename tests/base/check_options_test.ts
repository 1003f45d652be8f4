import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  CongestionManager,
  memoryTcp,
  PacketDecodeStream,
  PacketStream,
  Server,
  silentLog,
  SmartChannel,
} from "@rerelay/server/core";
import { fromNats, natsTarget } from "@rerelay/server/nats";
import { s3Target } from "@rerelay/server/s3";
import { RrdDecoder } from "@rerelay/server/encoding";
import { openRrd, RrdScanner } from "@rerelay/server/rrd";
import { memoryFiles, rrdFileSink } from "@rerelay/server/sinks";
import { viewerGuard, viewerHub, websocketRelay } from "@rerelay/server/viewers";

const BOX = { box: "box-7", instance: "0123456789abcdef" };

describe("a secret that is none", () => {
  it("is refused by name, and nothing of what is in it is told", () => {
    const keys = { accessKeyId: "me", secretAccessKey: "x" };
    const takers: [string, (secret: never) => unknown][] = [
      ["token", (token) => viewerGuard({ token })],
      ["password", (password) => natsTarget({ url: "nats://a:1", ...BOX, password })],
      ["token", (token) => fromNats({ url: "nats://a:1", token })],
      [
        "credentials.secretAccessKey",
        (secretAccessKey) =>
          s3Target("s3://bucket", {
            credentials: { ...keys, secretAccessKey },
            files: memoryFiles(),
          }),
      ],
      [
        "credentials.sessionToken",
        (sessionToken) =>
          s3Target("s3://bucket", { credentials: { ...keys, sessionToken }, files: memoryFiles() }),
      ],
    ];
    for (const [name, take] of takers) {
      for (const secret of [86421357, 86421357n, ["86421357"], { key: "86421357" }]) {
        const error = assertThrows(() => take(secret as never), Error, `${name} must be a text`);
        assert(!error.message.includes("86421357"), error.message);
      }
    }
  });
});

/** As a program in JavaScript passes them: types would refuse most of these. */
type Loose = Record<string, unknown>;

const listen = async (options: Loose) => {
  await (await Server.listen(memoryTcp(), { log: silentLog, ...options })).close();
};
const save = async (options: Loose) => {
  await (await rrdFileSink({ path: "a.rrd", files: memoryFiles(), ...options })).close();
};

/** Who takes them, what is wrong, and how the error begins. */
const WRONG: readonly [string, (options: Loose) => unknown, readonly [Loose, string][]][] = [
  ["serve", listen, [
    [{ hostname: "" }, "hostname must be a text"],
    [{ hostname: 5 }, "hostname must be a text"],
    [{ port: 70_000 }, "port must be an integer from 0 to 65535, not 70000"],
    [{ port: "9876" }, 'port must be an integer from 0 to 65535, not "9876"'],
    [{ maxLatencySec: "1" }, "maxLatencySec must be above 0"],
    [{ maxLatencySec: NaN }, "maxLatencySec must be above 0"],
    [{ pauseAfterSec: -1 }, "pauseAfterSec must be above 0, not -1"],
    [{ rules: "x" }, 'rules must be "corrected" or "rerun", not "x"'],
    [{ onBadArrow: "x" }, 'onBadArrow must be "save", "drop" or "close", not "x"'],
    [{ quiet: "no" }, 'quiet must be true or false, not "no"'],
    [{ reuseBuffers: 1 }, "reuseBuffers must be true or false, not 1"],
    [{ allow: "127.0.0.1" }, "allow must be a list"],
    [{ allow: ["127"] }, '"127" is not an address or network'],
    [{ maxClients: 1.5 }, "maxClients must be a whole number above 0, not 1.5"],
    [{ maxDepth: 0 }, "maxDepth must be a whole number above 0, not 0"],
    [{ channelLimitBytes: NaN }, "channelLimitBytes must be above 0, not NaN"],
    [{ maxPacketBytes: "1MB" }, 'maxPacketBytes must be above 0, not "1MB"'],
    [{ handshakeTimeoutSec: -1 }, "handshakeTimeoutSec must be above 0, not -1"],
  ]],
  ["rrdFileSink", save, [
    [{ path: "" }, "path must be a text"],
    [{ path: undefined }, "path must be a text"],
    [{ path: "{bad}.rrd" }, "there is no {bad}"],
    [{ force: "yes" }, "force must be true or false"],
    [{ sync: "x" }, 'sync must be "never", "interval" or "always", not "x"'],
    [{ compress: "zip" }, 'compress must be "off" or "lz4", not "zip"'],
    [{ path: "a-{part}.rrd", rotation: { maxBytes: -1 } }, "rotation.maxBytes must be above 0"],
    [{ path: "a-{part}.rrd", rotation: { maxBytes: NaN } }, "rotation.maxBytes must be above 0"],
    [{ path: "a-{part}.rrd", rotation: { maxAgeSec: 0 } }, "rotation.maxAgeSec must be above 0"],
    [{ path: "a-{part}.rrd", keep: { files: 1.5 } }, "keep.files must be a whole number"],
    [{ path: "a-{part}.rrd", keep: { bytes: "1" } }, 'keep.bytes must be above 0, not "1"'],
    [{ rotation: { maxBytes: 1e6 } }, "rotation makes several files: put {part}"],
    [{ path: "{recording_id}.rrd", rotation: { maxAgeSec: 9 } }, "rotation makes several files"],
    [{ keep: 3 }, "keep must be such as { files: 20 }, not 3"],
    [{ rotation: "1GiB" }, 'rotation must be such as { maxBytes: 2 ** 30 }, not "1GiB"'],
    [{ keep: { files: 3 } }, "keep is about several files: put {part}"],
  ]],
  ["SmartChannel", (options) => new SmartChannel(options), [
    [{ limitBytes: NaN }, "limitBytes must be above 0, not NaN"],
    [{ limitBytes: -1 }, "limitBytes must be above 0, not -1"],
    [{ maxWaitMs: 0 }, "maxWaitMs must be above 0, not 0"],
  ]],
  [
    "CongestionManager",
    (options) => new CongestionManager({ maxLatencySec: 1, log: silentLog, ...options }),
    [
      [{ maxLatencySec: "1" }, "maxLatencySec must be above 0"],
      [{ rules: "x" }, 'rules must be "corrected" or "rerun", not "x"'],
    ],
  ],
  ["PacketStream", (options) => new PacketStream(options), [
    [{ maxPacketBytes: NaN }, "maxPacketBytes must be above 0, not NaN"],
  ]],
  ["PacketDecodeStream", (options) => new PacketDecodeStream(options), [
    [{ maxMessageBytes: NaN }, "maxMessageBytes must be above 0, not NaN"],
    [{ onBadArrow: "x" }, 'onBadArrow must be "save", "drop" or "close", not "x"'],
  ]],
  ["RrdDecoder", (options) => new RrdDecoder(options), [
    [{ maxMessageBytes: -1 }, "maxMessageBytes must be above 0, not -1"],
    [{ maxEntries: "many" }, 'maxEntries must be a whole number above 0, not "many"'],
  ]],
  ["RrdScanner", (options) => new RrdScanner(options), [
    [{ maxMessageBytes: NaN }, "maxMessageBytes must be above 0, not NaN"],
  ]],
  ["viewerHub", (options) => viewerHub(options).close(), [
    [{ limitBytes: NaN }, "limitBytes must be above 0, not NaN"],
    [{ limitBytes: -1 }, "limitBytes must be above 0, not -1"],
    [{ viewerQueueBytes: 0 }, "viewerQueueBytes must be above 0, not 0"],
    [{ maxViewers: 1.5 }, "maxViewers must be a whole number above 0, not 1.5"],
  ]],
  ["websocketRelay", (options) => websocketRelay(viewerHub(), options), [
    [{ stallTimeoutSec: -1 }, "stallTimeoutSec must be above 0, not -1"],
  ]],
];

for (const [who, take, wrong] of WRONG) {
  describe(`${who} refuses`, () => {
    for (const [options, text] of wrong) {
      it(`${JSON.stringify(options, (_, value) => Number.isNaN(value) ? "NaN" : value)}`, async () => {
        const error = await assertRejects(async () => await take(options), RangeError);
        assertEquals(error.message.slice(0, text.length), text);
      });
    }

    it("nothing where all is left out, or undefined", async () => {
      await take({});
      const names = wrong.flatMap(([options]) => Object.keys(options));
      const left = names.filter((name) => !["path", "maxLatencySec"].includes(name));
      await take(Object.fromEntries(left.map((name) => [name, undefined])));
    });
  });
}

describe("openRrd", () => {
  it("says the same of a file that is missing on each runtime: its code is ENOENT", async () => {
    const error = await assertRejects(() => openRrd("there/is/none.rrd"), Error);
    assertEquals((error as { code?: string }).code, "ENOENT");
    assert(error.message.includes("none.rrd"));
  });
});
