/**
 * Every public function of every export, called as nobody should: what it can't work with is named, and
 * no error is one that the runtime made of a missing property.
 */
import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import * as all from "@rerelay/server";
import * as adapters from "@rerelay/server/adapters";
import * as bridge from "@rerelay/server/bridge";
import * as encoding from "@rerelay/server/encoding";
import * as flow from "@rerelay/server/flow";
import * as rrd from "@rerelay/server/rrd";
import * as sinks from "@rerelay/server/sinks";
import * as forward from "@rerelay/server/forward";
import * as nats from "@rerelay/server/nats";
import * as s3 from "@rerelay/server/s3";
import * as viewers from "@rerelay/server/viewers";

type Callable = (...args: readonly unknown[]) => unknown;

const ENTRIES: Readonly<Record<string, object>> = {
  ...{ ".": all, "./adapters": adapters, "./bridge": bridge, "./encoding": encoding },
  ...{ "./flow": flow, "./rrd": rrd, "./sinks": sinks, "./viewers": viewers },
};

const WRONG: readonly unknown[] = [
  ...[undefined, null, NaN, -1, 1.5, "", "x", true, {}, [], [undefined], ["x"]],
  ...[{ nonsense: 1 }, () => {}],
];

/** What runtimes say of a property of nothing, a call of no function, a loop over no list. */
const RAW =
  /undefined is not|null is not|Cannot (?:read|destructure|convert|use)|is not (?:a function|iterable|async iterable|an object)|(?:undefined|null) \(near|not a constructor|Right side of/;

/** Not called by users: errors are thrown, and a server is made by `serve` and `Server.listen`. */
function isMade(value: unknown): boolean {
  return value === all.Server || typeof value === "function" && value.prototype instanceof Error;
}

function isClass(value: Callable): boolean {
  return /^class\b/.test(Function.prototype.toString.call(value));
}

const FUNCTIONS: readonly [string, Callable][] = [
  ...new Map(
    Object.entries(ENTRIES).flatMap(([entry, exports]) =>
      Object.entries(exports)
        .filter(([, value]) => typeof value === "function" && !isMade(value))
        .map(([name, value]): [Callable, string] => [value as Callable, `${name} of "${entry}"`])
    ),
  ),
].map(([value, name]) => [name, value]);

/** What a call ends with; what it opened is closed. */
async function outcome(called: Callable, args: readonly unknown[]): Promise<unknown> {
  const { warn, error } = console;
  console.warn = console.error = () => {};
  try {
    const made: unknown = isClass(called) ? Reflect.construct(called, args) : await called(...args);
    const object = made as Readonly<Record<string | symbol, unknown>> | undefined;
    if (typeof object?.close === "function") await object.close();
    if (typeof object?.next === "function") await object.next();
    return undefined;
  } catch (thrown) {
    return thrown;
  } finally {
    [console.warn, console.error] = [warn, error];
  }
}

function shown(value: unknown): string {
  if (typeof value === "function") return "a function";
  return Number.isNaN(value) ? "NaN" : JSON.stringify(value) ?? "undefined";
}

describe("a public function that is called wrongly", () => {
  assert(FUNCTIONS.length > 45, "functions were not found");

  for (const [name, called] of FUNCTIONS) {
    // One that listens would listen where another server does.
    const isServe = called === all.serve as Callable;
    it(`says what is wrong: ${name}`, async () => {
      for (const first of isServe ? WRONG.filter((value) => value !== undefined) : WRONG) {
        if (isServe && JSON.stringify(first) === "{}") continue;
        for (const args of first === undefined ? [[]] : [[first], [first, first]]) {
          const thrown = await outcome(called, args);
          if (thrown === undefined) continue;
          const text = `${name} (${args.map(shown).join(", ")}): ${thrown}`;
          assert(thrown instanceof Error, text);
          assert(!RAW.test(thrown.message), text);
        }
      }
    });
  }
});

const files = sinks.memoryFiles();
const hub = viewers.viewerHub();
const source = () => new Blob([]).stream();
const fetch = () => new Response();
const server = () => all.Server.listen(all.memoryTcp(), { log: all.silentLog });
const step = { push: () => ({ items: [] }), finish: () => ({ items: [] }) };
const congestion = new flow.CongestionManager({ maxLatencySec: 1 });
const sender = () => new flow.SmartChannel().sender({ kind: "tcp-client", id: 1 });
const webSocket = { ...{ send() {}, addEventListener() {}, close() {}, readyState: 3 } };

const target = () => forward.grpcTarget({ hostname: "example.com", port: 9876 });
const inS3 = { files: { openAt: () => Promise.reject(new Error("none")) } };
const keys = { accessKeyId: "me", secretAccessKey: "secret" };

/** Who takes options, and one that is mistyped with what was meant. */
const OPTIONS: readonly [string, (options: never) => unknown, string, string][] = [
  ["serve", all.serve, "maxClient", "maxClients"],
  ["serve", (options) => all.Server.listen(all.memoryTcp(), options), "portt", "port"],
  ["doors", (doors) => all.serve({ doors }), "htpp", "http"],
  ["close", async (options) => await (await server()).close(options), "drainMS", "drainMs"],
  ["fanOut", (options) => sinks.fanOut([hub], options), "logs", "log"],
  ["rrdFileSink", sinks.rrdFileSink, "rotatoin", "rotation"],
  [
    "rotation",
    (rotation) => sinks.rrdFileSink({ path: "{part}.rrd", files, rotation }),
    "maxByte",
    "maxBytes",
  ],
  ["keep", (keep) => sinks.rrdFileSink({ path: "{part}.rrd", files, keep }), "file", "files"],
  ["openRrd", (options) => rrd.openRrd("a.rrd", options), "recovr", "recover"],
  ["readRrd", (options) => rrd.readRrd(source(), options), "recovery", "recover"],
  ["RrdScanner", (options) => new rrd.RrdScanner(options), "maxDept", "maxDepth"],
  ["RrdDecoder", (options) => new encoding.RrdDecoder(options), "maxDept", "maxDepth"],
  ["RrdDecoder", (options) => new all.RrdDecodeStream(options), "onHeaders", "onHeader"],
  ["PacketStream", (options) => new all.PacketStream(options), "maxPacketByte", "maxPacketBytes"],
  [
    "PacketDecodeStream",
    (options) => new all.PacketDecodeStream(options),
    "onBadArow",
    "onBadArrow",
  ],
  ["pipeClient", (options) => all.pipeClient(source(), sender(), options), "onHandShake", ""],
  ["SmartChannel", (options) => new flow.SmartChannel(options), "limit", "limitBytes"],
  ["CongestionManager", (options) => new flow.CongestionManager(options), "rule", "rules"],
  ["Bridge", (options) => new bridge.Bridge(options), "reusesMemori", "reusesMemory"],
  ["checkArrowIpc", (o) => encoding.checkArrowIpc(new Uint8Array(), o), "value", "values"],
  ["values", (options) => encoding.values([], options).next(), "entitiy", "entity"],
  ["viewerHub", viewers.viewerHub, "limitByte", "limitBytes"],
  ["join", (options) => hub.join(options), "histori", "history"],
  ["httpApp", viewers.httpApp, "hubb", "hub"],
  ["viewerGuard", viewers.viewerGuard, "allowHost", "allowHosts"],
  ["messageReaders", (options) => viewers.messageReaders(hub, options), "gard", "guard"],
  ["websocketRelay", (options) => viewers.websocketRelay(hub, options), "gard", "guard"],
  [
    "relaySocket",
    (options) => viewers.relaySocket(hub, webSocket as never, options),
    "adr",
    "addr",
  ],
  ["serveHttp", viewers.serveHttp, "bodie", "bodies"],
  ["bodies", (bodies) => viewers.serveHttp({ port: 0, fetch, bodies }), "maxByte", "maxBytes"],
  ["httpDoor", viewers.httpDoor, "maxConnection", "maxConnections"],
  ["grpcTarget", forward.grpcTarget, "timeout", "timeoutMs"],
  ["forwardTo", (options) => forward.forwardTo(target(), options), "maxHeldByte", "maxHeldBytes"],
  ["natsTarget", nats.natsTarget, "instances", "instance"],
  ["fromNats", nats.fromNats, "box", "boxes"],
  ["s3Target", (options) => s3.s3Target("s3://b", options), "endPoint", "endpoint"],
  [
    "credentials",
    (credentials) => s3.s3Target("s3://b", { ...inS3, credentials }),
    "accessKey",
    "accessKeyId",
  ],
];

describe("an option that there is none of", () => {
  for (const [who, take, name, meant] of OPTIONS) {
    it(`is refused by ${who}: ${name}`, async () => {
      for (const value of [1, undefined]) {
        const error = await assertRejects(
          async () => await take({ [name]: value } as never),
          TypeError,
          `${who} has no option "${name}"`,
        );
        assert(error.message.includes(`did you mean ${meant}`), error.message);
      }
    });

    it(`is told from what is no options at all by ${who}: ${name}`, async () => {
      for (const value of [1, "x", []]) {
        const thrown = await outcome(async () => await take(value as never), []);
        assert(thrown instanceof TypeError || thrown instanceof RangeError, `${who}: ${thrown}`);
        assert(/as an object|must be such as|takes/.test(thrown.message), thrown.message);
      }
    });
  }

  it("is told with all that there are, where none is near", async () => {
    await assertRejects(
      () => Promise.resolve().then(() => new bridge.Bridge({ zzz: 1 } as never)),
      TypeError,
      'Bridge has no option "zzz"; its options are reusesMemory',
    );
  });
});

/** What is missing or of another type, and what is said of it. */
const NAMED: readonly [string, () => unknown, string][] = [
  ["no sinks", () => sinks.fanOut(undefined!), "fanOut needs a list of sinks, such as [hub], not"],
  ["a sink alone", () => sinks.fanOut(hub as never), "fanOut needs a list of sinks"],
  ["none in the list", () => sinks.fanOut([undefined!]), "fanOut needs a sink with write() and"],
  ["no batches", () => sinks.fanOut([]).receive(undefined!), "receive needs batches, such as"],
  ["no predicate", () => sinks.filterSink(undefined!, hub), "filterSink needs a function"],
  ["no sink", () => sinks.filterSink(() => true, undefined!), "filterSink needs a sink with"],
  ["no options", () => sinks.rrdFileSink(undefined!), "rrdFileSink takes its options as an object"],
  ["no path", () => rrd.openRrd(""), 'path must be a text that is not empty, not ""'],
  ["a path", () => rrd.readRrd("a.rrd" as never), "readRrd needs a ReadableStream of bytes, not"],
  ["no adapter", () => all.Server.listen(undefined!), "Server.listen needs a TCP adapter"],
  ["no hub", () => viewers.httpApp({} as never), "httpApp needs a hub, as viewerHub() gives"],
  ["no hub to relay", () => viewers.websocketRelay(undefined!), "websocketRelay needs a hub"],
  ["no hub to read", () => viewers.messageReaders(undefined!), "messageReaders needs a hub"],
  ["no app", () => viewers.serveHttp({ port: 0 } as never), "serveHttp needs fetch, a function"],
  ["no port", () => viewers.serveHttp({ fetch } as never), "port must be an integer from 0 to"],
  [
    "no number of bytes",
    () => viewers.serveHttp({ port: 0, fetch, bodies: { maxBytes: NaN } }),
    "bodies.maxBytes must be above 0, not NaN",
  ],
  [
    "a fraction of a connection",
    () => viewers.serveHttp({ port: 0, fetch, maxConnections: 1.5 }),
    "maxConnections must be a whole number above 0, not 1.5",
  ],
  [
    "a host alone",
    () => viewers.viewerGuard({ allowHosts: "a.example" as never }),
    'allowHosts must be a list, such as ["robot.local"], not "a.example"',
  ],
  [
    "an unknown history",
    () => hub.join({ history: "x" as never }),
    'history must be "all", "none" or "newest-first"',
  ],
  ["a log that is none", () => all.serve({ log: console as never }), "log must have enabled() and"],
  ["no clock", () => all.serve({ now: 5 as never }), "now must be a function, not 5"],
  ["no signal", () => all.serve({ signal: true as never }), "signal must be an AbortSignal"],
  ["an unknown level", () => all.consoleLog("loud" as never), "level must be one of error, warn,"],
  ["no message", () => encoding.chunk(undefined!), 'chunk needs a message of kind "ArrowMsg", not'],
  [
    "a message without data",
    () => encoding.chunks({ kind: "SetStoreInfo" } as never),
    'chunks needs a message of kind "ArrowMsg", not "SetStoreInfo"',
  ],
  ["no chunk", () => encoding.imageOf(undefined!), "imageOf needs a chunk, as chunks(msg) gives"],
  ["no messages", () => encoding.byEntity(undefined!), "byEntity needs what gives messages, such"],
  [
    "values of nothing",
    () => encoding.values(undefined!, { entity: "/a", component: "b" }).next(),
    "values needs what gives messages",
  ],
  ["no step", () => new flow.StepStream(undefined!), "StepStream needs a step with push() and"],
  ["no manager", () => new flow.ThrottleStream(undefined!), "ThrottleStream needs a Congestion"],
  ["no batch", () => hub.write(undefined!), "write needs a batch, a list of messages as batches()"],
  [
    "a message alone",
    async () => (await sinks.rrdFileSink({ path: "a.rrd", files })).write({} as never),
    "write needs a batch, a list of messages as batches() gives, not an object",
  ],
  [
    "no feed",
    async () => (await server()).join({} as never),
    "join needs a feed, such as fromNats()",
  ],
  [
    "a follower of two sinks",
    async () => {
      const followers = [forward.forwardTo(target())];
      const one = await sinks.rrdFileSink({ path: "one-{part}.rrd", files, followers });
      try {
        await sinks.rrdFileSink({ path: "two-{part}.rrd", files, followers });
      } finally {
        await one.close();
      }
    },
    "A forwarder follows one file sink: make another",
  ],
  ["no target", () => forward.forwardTo(undefined!), "forwardTo needs a target, such as"],
  [
    "no rate",
    () => forward.forwardTo(target(), { maxBytesPerSec: NaN }),
    "maxBytesPerSec must be above 0, not NaN",
  ],
  [
    "no host",
    () => forward.grpcTarget({ port: 1 } as never),
    "hostname must be a text that is not",
  ],
  [
    "no port there",
    () => forward.grpcTarget({ hostname: "a" } as never),
    "port must be an integer",
  ],
  ["no NATS", () => nats.fromNats({} as never), "url must be a text that is not empty, not"],
  [
    "a token of NATS that is a number",
    () => nats.fromNats({ url: "nats://a", token: 5 as never }),
    "token must be a text that is not empty, not a number",
  ],
  [
    "a box alone",
    () => nats.fromNats({ url: "nats://a", boxes: "box-7" as never }),
    "boxes must be a list, such as",
  ],
  [
    "a box without a name",
    () => nats.natsTarget({ url: "nats://a" } as never),
    "box must be a text",
  ],
  [
    "half a copy",
    () => nats.natsTarget({ url: "nats://a", box: "b", instance: "4f1c", replicas: 0.5 }),
    "replicas must be a whole number above 0, not 0.5",
  ],
  [
    "a key of S3 that the environment lacks",
    () => s3.s3Target("s3://b", { ...inS3, credentials: { ...keys, secretAccessKey: undefined! } }),
    "credentials.secretAccessKey must be a text that is not empty, not undefined",
  ],
  ["no keys of S3", () => s3.s3Target("s3://b", inS3 as never), "credentials must be such as {"],
  [
    "followers that are none",
    () => sinks.rrdFileSink({ path: "{part}.rrd", files, followers: {} as never }),
    "rrdFileSink needs followers, as forwardTo() gives, not an object",
  ],
  [
    "a follower that is none",
    () => sinks.rrdFileSink({ path: "{part}.rrd", files, followers: [target()] as never }),
    "rrdFileSink needs followers, as forwardTo() gives, not a list",
  ],
  [
    "no readiness",
    () => viewers.httpApp({ hub, readiness: {} as never }),
    "httpApp needs readiness",
  ],
  [
    "no shelf",
    () => viewers.httpApp({ hub, files: [] as never }),
    "httpApp needs files, the shelf",
  ],
  ["no readers", () => viewers.httpApp({ hub, readers: 1 as never }), "httpApp needs readers, as"],
  [
    "a text for yes",
    () => viewers.httpApp({ hub, allowDelete: "false" as never }),
    'allowDelete must be true or false, not "false"',
  ],
  [
    "a door that is none",
    () => all.serve({ doors: { http: 1 as never } }),
    "http must be a function",
  ],
  ["no confirmation", () => all.serve({ confirm: true as never }), "confirm must be a function"],
  [
    "no pool",
    () => new all.PacketStream({ pool: {} as never }),
    "PacketStream needs pool, a Buffer",
  ],
  [
    "no pool, again",
    () => new flow.SmartChannel({ pool: 1 as never }),
    "SmartChannel needs pool, a",
  ],
  [
    "a lenience that is none",
    () => new rrd.RrdScanner({ isLenient: 1 as never }),
    "isLenient must be true or false, not 1",
  ],
  [
    "no time to close",
    async () => (await server()).close({ drainMs: -1 }),
    "drainMs must be above 0",
  ],
];

describe("what is missing", () => {
  for (const [what, call, text] of NAMED) {
    it(`is named: ${what}`, async () => {
      const thrown = await outcome(async () => await call(), []);
      assert(thrown instanceof TypeError || thrown instanceof RangeError, String(thrown));
      assertEquals(thrown.message.slice(0, text.length), text);
    });
  }

  it("is not what may be left out", async () => {
    const undef = { hostname: undefined, bodies: undefined, onError: undefined } as object;
    await (await viewers.serveHttp({ port: 0, fetch, ...undef })).close();
    assertEquals(new flow.StepStream(step).readable instanceof ReadableStream, true);
    assertEquals(new flow.ThrottleStream(congestion).readable instanceof ReadableStream, true);
    await (await server()).close({});
  });
});
