import { after, describe, it } from "node:test";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { assertEquals } from "@std/assert";
import { readJson, ROOT } from "./tree.ts";

/** A program of somebody who has the Web's types and `strict`, and nothing else that we have set. */
const PROGRAM = `
import { type ArrowMsg, memoryTcp, Server, type SmartMessage } from "@rerelay/server/core";
import { TABLE_LIMITS } from "@rerelay/server/rrd";

const net = memoryTcp();
await using server = await Server.listen(net);
const iterable: AsyncIterable<SmartMessage> = server;
const disposable: AsyncDisposable = server;
for await (const { payload } of server) {
  if (payload.type !== "msg" || payload.msg.kind !== "ArrowMsg") continue;
  const msg: ArrowMsg = payload.msg;
  const most: number = TABLE_LIMITS.recordings;
  console.log(msg.storeId.id, most, iterable, disposable);
}
// @ts-expect-error: it is a number
const text: string = TABLE_LIMITS.recordings;
`;

describe("a consumer's type check", () => {
  const folder = mkdtempSync(join(tmpdir(), "rerelay-types-"));
  after(() => rmSync(folder, { recursive: true }));

  it("finds nothing wrong, whatever settings are not the consumer's", () => {
    const { dependencies } = readJson<{ dependencies: Record<string, string> }>("package.json");
    const url = (path: string) => pathToFileURL(join(ROOT, path)).href;
    const imports = Object.fromEntries([
      ...Object.entries(dependencies).flatMap(([name, version]) => [
        [name, `npm:${name}@${version}`],
        [`${name}/`, `npm:/${name}@${version}/`],
      ]),
      ["@std/streams", url("std/streams/mod.d.ts")],
      // Their types bring Node's into the whole program.
      ["apache-arrow", url("tools/web_only/apache_arrow.d.ts")],
      ["apache-arrow/Arrow.dom", url("tools/web_only/apache_arrow.d.ts")],
      ["@rerelay/server/core", url("core.ts")],
      ["@rerelay/server/rrd", url("lib/recordings/mod.ts")],
    ]);
    const lib = ["deno.ns", "deno.unstable", "esnext", "dom", "dom.iterable", "dom.asynciterable"];
    const config = { imports, compilerOptions: { strict: true, lib } };
    writeFileSync(join(folder, "deno.json"), JSON.stringify(config));
    writeFileSync(join(folder, "main.ts"), PROGRAM);
    const { status, stderr } = spawnSync(process.execPath, ["check", "--no-lock", "main.ts"], {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, NO_COLOR: "1" },
    });
    assertEquals(status, 0, stderr);
  });
});
