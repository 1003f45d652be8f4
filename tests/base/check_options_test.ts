import { describe, it } from "node:test";
import { assertRejects, assertThrows } from "@std/assert";
import { CongestionManager, memoryTcp, type ServeOptions, Server, silentLog } from "../../mod.ts";
import { RrdDecoder } from "../../lib/encoding/mod.ts";
import { memoryFiles, rrdFileSink, type RrdFileSinkOptions } from "../../lib/sinks/mod.ts";
import { viewerHub } from "../../lib/viewers/mod.ts";

type Kind = typeof RangeError | typeof TypeError;

/** An environment variable that is not set, and other mistakes. */
const UNSET = Number(undefined);

describe("a mistake in an option is told by its name", () => {
  const server: readonly [ServeOptions, Kind, string][] = [
    [{ channelLimitBytes: UNSET }, RangeError, "channelLimitBytes must be above 0, not NaN"],
    [{ maxClients: 1.5 }, RangeError, "maxClients must be a whole number, not 1.5"],
    [{ maxClients: -1 }, RangeError, "maxClients must be above 0, not -1"],
    [
      { maxMessageBytes: "1" as unknown as number },
      TypeError,
      'maxMessageBytes must be a number, not "1"',
    ],
    [{ maxLatencySec: "1" as unknown as number }, RangeError, "maxLatencySec"],
    [{ rules: "x" as "rerun" }, TypeError, 'rules must be "corrected" or "rerun", not "x"'],
    [{ onBadArrow: "x" as "save" }, TypeError, "onBadArrow must be"],
    [{ hostname: "" }, TypeError, "hostname must be a text"],
    [{ allow: "127.0.0.1" as unknown as string[] }, TypeError, "allow must be an array"],
  ];
  for (const [options, kind, text] of server) {
    it(`of a server: ${text}`, async () => {
      const listen = () => Server.listen(memoryTcp(), { log: silentLog, ...options });
      await assertRejects(listen, kind, text);
    });
  }

  it("but for those that may be so", async () => {
    const options = { maxConnectsPerSec: 0.5, maxClients: Infinity, channelLimitBytes: 1.5e8 };
    await using _ = await Server.listen(memoryTcp(), { log: silentLog, ...options });
  });

  const sink: readonly [Partial<RrdFileSinkOptions>, Kind, string][] = [
    [{ path: "" }, TypeError, "path must be a text that is not empty"],
    [{ sync: "x" as "never" }, TypeError, "sync must be"],
    [{ compress: "x" as "off" }, TypeError, "compress must be"],
    [{ rotation: { maxBytes: -1 } }, RangeError, "rotation.maxBytes must be above 0, not -1"],
    [{ rotation: { maxAgeSec: UNSET } }, RangeError, "rotation.maxAgeSec"],
    [{ path: "a.rrd", rotation: { maxBytes: 1 } }, TypeError, "put {part}, {date} or {time}"],
    [{ keep: { files: 1.5 } }, RangeError, "keep.files must be a whole number"],
    [{ path: "a.rrd", keep: { files: 1 } }, TypeError, "keep is about several files"],
  ];
  for (const [options, kind, text] of sink) {
    it(`of a file sink: ${text}`, async () => {
      const files = memoryFiles();
      const open = () => rrdFileSink({ path: "{part}.rrd", files, ...options });
      await assertRejects(open, kind, text);
    });
  }

  it("of a hub, a decoder and the congestion manager", () => {
    assertThrows(() => viewerHub({ limitBytes: UNSET }), RangeError, "limitBytes");
    assertThrows(() => viewerHub({ maxViewers: 0.5 }), RangeError, "maxViewers");
    assertThrows(() => new RrdDecoder({ maxMessageBytes: UNSET }), RangeError, "maxMessageBytes");
    const maxLatencySec = "1" as unknown as number;
    assertThrows(() => new CongestionManager({ maxLatencySec }), RangeError, "maxLatencySec");
  });
});
