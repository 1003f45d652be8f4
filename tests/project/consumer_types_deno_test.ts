import { describe, it } from "node:test";
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

/** What the type check of a consumer's program says, with these settings beside `strict`. */
function check(program: string, more: Readonly<Record<string, unknown>>) {
  const folder = mkdtempSync(join(tmpdir(), "rerelay-types-"));
  try {
    const { dependencies } = readJson<{ dependencies: Record<string, string> }>("package.json");
    const url = (path: string) => pathToFileURL(join(ROOT, path)).href;
    const { exports } = readJson<{ exports: Record<string, string> }>("deno.json");
    const imports = Object.fromEntries([
      ...Object.entries(dependencies).flatMap(([name, version]) => {
        const at = version.startsWith("npm:") ? version.slice(4) : `${name}@${version}`;
        return [[name, `npm:${at}`], [`${name}/`, `npm:/${at}/`]];
      }),
      ...["encoding", "streams", "text"].map((
        name,
      ) => [`@std/${name}`, url(`std/${name}/mod.d.ts`)]),
      ...Object.entries(exports).map((
        [name, path],
      ) => [`@rerelay/server${name.slice(1)}`, url(path)]),
      // Their types bring Node's into the whole program.
      ["apache-arrow", url("tools/web_only/apache_arrow.d.ts")],
      ["apache-arrow/Arrow.dom", url("tools/web_only/apache_arrow.d.ts")],
    ]);
    const config = { imports, compilerOptions: { strict: true, ...more } };
    writeFileSync(join(folder, "deno.json"), JSON.stringify(config));
    writeFileSync(join(folder, "main.ts"), program);
    const { status, stderr } = spawnSync(process.execPath, ["check", "--no-lock", "main.ts"], {
      cwd: folder,
      encoding: "utf8",
      env: { ...process.env, NO_COLOR: "1" },
    });
    return { status, stderr };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const WEB = ["esnext", "dom", "dom.iterable", "dom.asynciterable"];

describe("a consumer's type check", () => {
  it("finds nothing wrong, whatever settings are not the consumer's", () => {
    const lib = ["deno.ns", "deno.unstable", ...WEB];
    const { status, stderr } = check(PROGRAM, { lib });
    assertEquals(status, 0, stderr);
  });

  it("finds nothing wrong under Bun's types, which declare the Web's in their own way", () => {
    const { exports } = readJson<{ exports: Record<string, string> }>("deno.json");
    const entries = Object.keys(exports).filter((name) => name !== "./cli");
    const program = entries.map((name, i) =>
      `export * as e${i} from "@rerelay/server${name.slice(1)}";`
    );
    const types = ["npm:@types/bun@1.4.5", "npm:@types/deno@2.7.0"];
    const { status, stderr } = check(program.join("\n"), { lib: WEB, types });
    assertEquals(status, 0, stderr);
  });
});
