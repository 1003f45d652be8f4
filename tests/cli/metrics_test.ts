/** What a running server gives at /metrics, read by Prometheus' own tool. */
import { describe, it } from "node:test";
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { inFolder, runCli, startCli } from "./cli_process.ts";

const CAPTURE = fileURLToPath(
  new URL("../fixtures/encodings/0.22.1-mixed-protobuf-lz4.rrd", import.meta.url),
);
const skip = spawnSync("promtool", ["--version"]).status !== 0 &&
  "there is no promtool (Debian: prometheus)";

/** What promtool complains of. */
function complaints(metrics: string): string {
  const args = ["check", "metrics"];
  const { status, stdout, stderr } = spawnSync("promtool", args, {
    input: metrics,
    encoding: "utf8",
  });
  return status === 0 ? "" : `${stdout}${stderr}`;
}

describe("metrics of a running server", { skip, timeout: 60_000 }, () => {
  it("are told apart from wrong ones", () => {
    assertStringIncludes(complaints("# TYPE a_total gauge\na_total 1\n"), "a_total");
    assert(complaints('a{b="\n"} 1\n') !== "");
  });

  it("are what promtool takes: with SDKs, files, viewers, and targets of strange names", () =>
    inFolder(async (folder) => {
      const strange = join(folder, 'a "quoted" \\ name');
      mkdirSync(strange);
      const { cli, port } = await startCli([
        ...["--save", join(strange, "{recording_id}-{part}.rrd")],
        ...["--forward", "rerun+http://127.0.0.1:1/proxy"],
        ...["--forward", "nats://127.0.0.1:1"],
        ...["--serve-web", "--ws-server-port", "0", "--web-viewer-port", "0"],
      ]);
      const [, page] = await cli.sees(/web viewer at (\S+)/);
      const metrics = async () => await (await fetch(`${page}metrics`)).text();
      assertEquals(complaints(await metrics()), "");
      const sent = await runCli(["rrd", "replay", CAPTURE, "--to", `127.0.0.1:${port}`]);
      assertEquals(sent.code, 0, sent.stderr);
      const viewer = await fetch(`${page}stream.rrd`);
      const reader = viewer.body!.getReader();
      assert(!(await reader.read()).done);
      let text = await metrics();
      while (!/^rerelay_viewers(?:\{.*\})? 1$/m.test(text) || !/rerelay_forward_/.test(text)) {
        await new Promise((resolve) => setTimeout(resolve, 20));
        text = await metrics();
      }
      assertEquals(complaints(text), "");
      // Samples of a metric stand together, under its type.
      const names = [...text.matchAll(/^(rerelay_\w+)/gm)].map(([, name]) => name!);
      const groups = names.filter((name, i) => name !== names[i - 1]);
      assertEquals(groups.length, new Set(groups).size);
      for (const name of groups) assertStringIncludes(text, `# TYPE ${name} `);
      const received = [...text.matchAll(/^rerelay_received_messages_total(?:\{.*\})? (\d+)$/gm)]
        .reduce((sum, [, count]) => sum + Number(count), 0);
      assert(received > 10, `${received} messages`);
      await reader.cancel();
      cli.signal("SIGTERM");
      assertEquals((await cli.ended).code, 0);
    }));
});
