import { describe, it } from "node:test";
import { assert, assertEquals } from "@std/assert";
import { parse } from "deno-std/yaml/parse.js";
import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { SETTABLE } from "../../lib/cli/args/option_table.ts";
import { parseCliArgs } from "../../lib/cli/args/args.ts";
import { viewerHub } from "../../lib/viewers/hub.ts";
import { metricsText } from "../../lib/viewers/serve/metrics.ts";
import { projectFiles, read, ROOT } from "./tree.ts";

/** Each metric, its type and its text. */
const METRICS = [
  ...metricsText(viewerHub(), {}, { errors: 0, otherEncoding: 0, otherData: 0 })
    .matchAll(/# HELP (\S+) (.*)\n# TYPE \S+ (\S+)/g),
].map(([, name, help, type]) => ({ name: name!, help: help!, type: type! }));

/** Whether a program is on PATH. */
function has(program: string): boolean {
  return spawnSync(program, ["--version"]).status === 0;
}

function run(...[program, ...args]: [string, ...string[]]) {
  const { status, stdout, stderr } = spawnSync(program, args, { cwd: ROOT, encoding: "utf8" });
  return { status, said: stdout + stderr };
}

describe("metrics", () => {
  it("follow the rules of Prometheus for names", () => {
    assert(METRICS.length > 20);
    for (const { name, type } of METRICS) {
      assertEquals(name.endsWith("_total"), type === "counter", name);
      assert(/^rerelay_[a-z_]+$/.test(name) && !/_(ms|kb|mb|percent)(_|$)/.test(name), name);
    }
  });

  it("are all in the table of the docs, with their units", () => {
    const rows = [...read("docs/deploy.md").matchAll(/^\| `(rerelay_\w+)` *\|(.*)\|$/gm)]
      .map(([, name, cells]) => [name, ...cells!.split("|").map((cell) => cell.trim())]);
    assertEquals(
      rows.map(([name, type, , help]) => ({ name, help, type })),
      METRICS,
    );
    for (const [name, , unit] of rows) {
      if (name!.includes("_bytes")) assertEquals(unit, "bytes", name);
      if (name!.includes("_seconds")) assertEquals(unit, "seconds", name);
    }
  });

  for (const file of ["deploy/grafana.json", "deploy/alerts.yml"]) {
    it(`are the only ones in ${file}`, () => {
      const used = new Set(read(file).match(/\brerelay_\w+/g));
      const names = METRICS.map(({ name }) => name);
      assert(used.size > 4);
      assertEquals([...used].filter((name) => !names.includes(name)), []);
    });
  }
});

describe("files for running it", () => {
  it("are all told of in docs/deploy.md", () => {
    const files = projectFiles().filter((path) => path.startsWith("deploy/"));
    assert(files.length >= 7, files.join());
    assertEquals(files.filter((path) => !read("docs/deploy.md").includes(`../${path}`)), []);
  });

  it("have a dashboard that Grafana reads", () => {
    const { panels } = JSON.parse(read("deploy/grafana.json"));
    const places = panels.map(({ gridPos: { x, y } }: { gridPos: Record<string, number> }) =>
      `${x},${y}`
    );
    assertEquals(new Set(places).size, panels.length);
    assert(panels.every((panel: { targets: unknown[] }) => panel.targets.length > 0));
  });

  it("name options that there are", () => {
    const variables = read("deploy/compose.yaml").match(/\bRERELAY_[A-Z_]+(?=:)/g)!;
    const names = SETTABLE.map(({ name }) => `RERELAY_${name.toUpperCase().replaceAll("-", "_")}`);
    assert(variables.length > 3);
    assertEquals(variables.filter((name) => !names.includes(name)), []);
    const [, command] = /^CMD (\[.*\])$/m.exec(read("deploy/Dockerfile"))!;
    const [, entry] = /^ENTRYPOINT (\[.*\])$/m.exec(read("deploy/Dockerfile"))!;
    const args = [...JSON.parse(entry!).slice(1), ...JSON.parse(command!)];
    assertEquals(parseCliArgs(args).command, "host");
  });

  it("have arguments in the docs of a fleet that go with those of the image", () => {
    const [, entry] = /^ENTRYPOINT (\[.*\])$/m.exec(read("deploy/Dockerfile"))!;
    const [, yaml] = /^```yaml\n(.*?)^```/ms.exec(read("docs/fleet.md"))!;
    const { services } = parse(yaml!) as {
      services: Record<string, { image: string; command: string[] }>;
    };
    const ours = Object.values(services).filter(({ image }) => image === "rerelay");
    assertEquals(ours.length, 1);
    for (const { command } of ours) {
      assertEquals(parseCliArgs([...JSON.parse(entry!).slice(1), ...command]).command, "host");
    }
  });

  it("are YAML where they say so, the workflows too", () => {
    const files = projectFiles().filter((path) => path.endsWith(".yml") || path.endsWith(".yaml"));
    assert(files.length >= 4, files.join());
    for (const path of files) assertEquals(typeof parse(read(path)), "object", path);
    const { services } = parse(read("deploy/compose.yaml")) as { services: object };
    assertEquals(Object.keys(services), ["rerelay"]);
  });

  it(
    "have workflows that actionlint takes",
    { skip: !has("actionlint") && "no actionlint" },
    () => {
      const workflows = projectFiles().filter((path) => path.startsWith(".github/workflows/"));
      assertEquals(run("actionlint", ...workflows), { status: 0, said: "" });
    },
  );

  it(
    "have rules for alerts that promtool takes",
    { skip: !has("promtool") && "no promtool" },
    () => {
      const { status, said } = run("promtool", "check", "rules", "deploy/alerts.yml");
      assertEquals(status, 0, said);
    },
  );

  const skip = !has("systemd-analyze") && "no systemd-analyze";
  for (const name of ["rerelay.service", "rerelay@.service"]) {
    it(`have a ${name} that systemd takes and finds safe`, { skip, timeout: 60_000 }, () => {
      const folder = mkdtempSync(join(tmpdir(), "rerelay-unit-"));
      try {
        // It looks whether the program is there.
        const program = join(folder, "rerelay");
        writeFileSync(program, "#!/bin/sh\n", { mode: 0o755 });
        const unit = join(folder, name.replace("@", "@a"));
        writeFileSync(
          unit,
          read(`deploy/${name}`).replaceAll("/usr/local/bin/rerelay", program),
        );
        const verified = run("systemd-analyze", "verify", unit);
        assertEquals([verified.status, verified.said], [0, ""]);
        copyFileSync(join(ROOT, "deploy", name), unit);
        const args = ["--offline=true", "--threshold=20", unit] as const;
        const { status, said } = run("systemd-analyze", "security", ...args);
        assertEquals(status, 0, said);
      } finally {
        rmSync(folder, { recursive: true });
      }
    });
  }
});
