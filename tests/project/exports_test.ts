import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import * as all from "@rerelay/server";
import * as adapters from "@rerelay/server/adapters";
import * as bridge from "@rerelay/server/bridge";
import * as core from "@rerelay/server/core";
import * as encoding from "@rerelay/server/encoding";
import * as flow from "@rerelay/server/flow";
import * as nats from "@rerelay/server/nats";
import * as s3 from "@rerelay/server/s3";
import * as forward from "@rerelay/server/forward";
import * as rrd from "@rerelay/server/rrd";
import * as sinks from "@rerelay/server/sinks";
import * as viewers from "@rerelay/server/viewers";
// Types that are where they belong: the type check sees whether they are.
import type {
  FileAdapter,
  HttpAdapter,
  ProcessAdapter,
  TcpAdapter,
  TcpConnection,
  TcpListener,
  ViewerSocket,
  WritableFile,
} from "@rerelay/server/adapters";
import type { ChannelSender, Step } from "@rerelay/server/flow";
import type { TableLimits } from "@rerelay/server/rrd";
import { read, readJson, sources } from "./tree.ts";

/** All types above, so that none is unused. */
export type Types = [
  FileAdapter,
  HttpAdapter,
  ProcessAdapter,
  TcpAdapter,
  TcpConnection,
  TcpListener,
  ViewerSocket,
  WritableFile,
  ChannelSender,
  Step<unknown, unknown>,
  TableLimits,
];

const ENTRIES: Readonly<Record<string, object>> = {
  ".": all,
  "./adapters": adapters,
  "./bridge": bridge,
  "./core": core,
  "./encoding": encoding,
  "./flow": flow,
  "./forward": forward,
  "./nats": nats,
  "./rrd": rrd,
  "./s3": s3,
  "./sinks": sinks,
  "./viewers": viewers,
};

describe("the public entries", () => {
  const { exports } = readJson<{ exports: Record<string, string> }>("deno.json");

  it("are the same for Deno and for Bun", () => {
    assertEquals(readJson<{ exports: object }>("package.json").exports, exports);
  });

  it("can be imported by the package's own name", () => {
    const others = ["./bun", "./cli", "./deno"]; // for one runtime, or run by being imported
    assertEquals(Object.keys(exports).filter((name) => !others.includes(name)).sort(), [
      ...Object.keys(ENTRIES),
    ]);
  });

  it("show from the first what its users need, and no more", () => {
    assertEquals(Object.keys(all).sort(), [
      "ArrowMsg",
      "ClientIsNewer",
      "ClientIsOlder",
      "CongestionManager",
      "CorruptArrow",
      "HandshakeTimeout",
      "IdleTimeout",
      "InvalidMessage",
      "KnownMessages",
      "LOG_LEVELS",
      "MessageLimit",
      "MessageTooLarge",
      "PacketDecodeStream",
      "PacketStream",
      "PacketTimeout",
      "PacketTooLarge",
      "PacketTooSlow",
      "Readiness",
      "ReceiverTaken",
      "RerelayError",
      "RrdDecodeStream",
      "Server",
      "SmartChannel",
      "TIME_STATIC",
      "TcpBindError",
      "ThrottleStream",
      "TooManyClients",
      "TruncatedHandshake",
      "TruncatedPacket",
      "UnfinishedPacketsLimit",
      "UnknownClient",
      "UnsupportedRuntime",
      "consoleLog",
      "memoryTcp",
      "pipeClient",
      "serve",
      "silentLog",
      "sourceText",
    ]);
  });

  it("have a core that is all but what picks a runtime", () => {
    const runtime = ["UnsupportedRuntime", "serve"];
    assertEquals(
      Object.keys(core).sort(),
      Object.keys(all).sort().filter((name) => !runtime.includes(name)),
    );
  });

  it("give one thing under one name, whichever it is taken from", () => {
    const seen = new Map<string, unknown>();
    for (const [entry, values] of Object.entries(ENTRIES)) {
      for (const [name, value] of Object.entries(values)) {
        assert(!seen.has(name) || seen.get(name) === value, `${name} of ${entry} is another`);
        seen.set(name, value);
      }
    }
  });

  it("have what has moved where the upgrade note says", () => {
    const rows = read("docs/upgrading.md").split("\n").filter((line) => line.startsWith("| `"))
      .map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
    assert(rows.length > 5, "docs/upgrading.md has no table of what moved");
    const names = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
    for (const [moved, from, to] of rows) {
      const [target] = names(to!);
      for (const name of names(moved!)) {
        assert(!(name in ENTRIES[names(from!)[0]!]!), `${name} is in ${from} still`);
        if (!target?.startsWith("./")) continue; // gone for good
        // Types are seen by the type check alone, above.
        if (!/\btypes?\b/.test(moved!)) assert(name in ENTRIES[target]!, `${name}: ${to}`);
      }
    }
  });

  it("declare as an interface what generated declarations leave out of a class", () => {
    const declared = sources("lib/").filter((path) => !/^lib\/cli\//.test(path))
      .flatMap((path) => [...classes(read(path))].map((one) => ({ path, ...one })))
      .filter(({ name, code }) => isExported(name) && /^ {2}(?:async )?\*?\[Symbol\./m.test(code));
    assert(declared.some(({ name }) => name === "Server"), "Server was not found");
    const bare = declared.filter(({ path, name }) =>
      !new RegExp(
        `^export interface ${name} extends .*\\b(?:Async)?(?:Iterable|Disposable)\\b`,
        "m",
      )
        .test(read(path))
    );
    assertEquals(bare.map(({ name }) => name), []);
  });
});

describe("exported constants", () => {
  it("have the types that they are written with", () => {
    const constants = sources("lib/", "core.ts", "mod.ts").flatMap((path) =>
      [...read(path).matchAll(/^export const (\w+)(\s*:)?/gm)]
        .map(([, name, colon]) => ({ path, name: name!, isTyped: colon !== undefined }))
    ).filter(({ path, name }) => !/^lib\/cli\//.test(path) && isExported(name));
    assert(constants.some(({ name }) => name === "TABLE_LIMITS"), "TABLE_LIMITS was not found");
    assertEquals(constants.filter(({ isTyped }) => !isTyped), []);
  });
});

function isExported(name: string): boolean {
  return Object.values(ENTRIES).some((values) => name in values);
}

/** Exported classes of a module, with their code. */
function* classes(code: string): Iterable<{ name: string; code: string }> {
  for (const [text, name] of code.matchAll(/^export (?:abstract )?class (\w+).*?^\}/gms)) {
    yield { name: name!, code: text };
  }
}
