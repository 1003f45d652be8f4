import { assert, assertEquals, assertRejects } from "@std/assert";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { loadFileAdapter } from "../../../lib/adapters/load.ts";
import { keptLog } from "../../sinks/messages.ts";
import { GivenFiles, NotShown } from "../../../lib/cli/host/given_files.ts";
import { Shelves } from "../../../lib/recordings/shelf.ts";
import { rrdFileSink } from "../../../lib/sinks/file/rrd_file.ts";
import { captured, smart } from "../../viewers/messages.ts";
import { QUIT } from "../../sinks/messages.ts";
import { Cli } from "../cli_process.ts";

const adapter = await loadFileAdapter();
const base = mkdtempSync(join(tmpdir(), "rerelay-given-"));
after(() => rmSync(base, { recursive: true, force: true }));

let folders = 0;
function newFolder(): string {
  const folder = join(base, String(++folders));
  mkdirSync(folder);
  return folder;
}

/** The bytes of a recording. */
function recording(name = "0.22.1-mixed"): Uint8Array {
  const msgs = captured(name);
  const [{ encoded }] = msgs as [typeof msgs[0]];
  return Uint8Array.from([
    ...encoded.header.bytes,
    ...msgs.flatMap(({ encoded: { bytes } }) => [...bytes]),
    ...new Uint8Array(8),
  ]);
}

const namesOf = async (shelf: Pick<GivenFiles, "list">) =>
  (await shelf.list()).map(({ name }) => name).toSorted();

describe("files of the command line", () => {
  it("are shown with what their first messages tell", async () => {
    const folder = newFolder();
    const path = join(folder, "run.rrd");
    writeFileSync(path, recording());
    utimesSync(path, 1000, 1_700_000_000);
    const given = await GivenFiles.open([path], adapter, keptLog());
    const [file, ...none] = await given.list();
    assertEquals(none, []);
    assertEquals([file!.name, file!.state, file!.isOurs], ["run.rrd", "closed", false]);
    assertEquals(
      [file!.application, file!.recording, file!.sdk],
      ["rerun_example_capture", "rec-mixed", "0.22.1"],
    );
    assertEquals([file!.bytes, file!.lastMs], [recording().length, 1.7e12]);
    const opened = await given.open("run.rrd");
    assert(typeof opened === "object");
    assertEquals(opened.bytes, recording().length);
    await opened.file.close();
    assertEquals(await given.remove("run.rrd"), "foreign");
    assertEquals(await given.remove("other.rrd"), "missing");
  });

  it("may be folders, in which only recordings are shown, and what comes into them later", async () => {
    const folder = newFolder();
    mkdirSync(join(folder, "deep"));
    const names = ["deep/B.RRD", "a.rrd"];
    for (const name of names) writeFileSync(join(folder, name), recording());
    writeFileSync(join(folder, "notes.txt"), "no recording");
    writeFileSync(join(folder, "wrong.rrd"), "no recording");
    const log = keptLog();
    const given = await GivenFiles.open([folder], adapter, log);
    assertEquals(await namesOf(given), ["a.rrd", "deep/B.RRD"]);
    assert(log.lines.some((line) => JSON.stringify(line).includes("wrong.rrd is not shown")));
    // Nor is it given to whoever guesses its name.
    assertEquals(await given.open("wrong.rrd"), "missing");
    assertEquals(given.count, 2);
    writeFileSync(join(folder, "c.rrd"), recording());
    const deadline = performance.now() + 60_000;
    while ((await namesOf(given)).length < 3) {
      assert(performance.now() < deadline, "what came later is not shown");
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    assertEquals(await namesOf(given), ["a.rrd", "c.rrd", "deep/B.RRD"]);
  });

  it("have names of their own, though several are called the same", async () => {
    const [one, two] = [newFolder(), newFolder()];
    for (const folder of [one, two]) writeFileSync(join(folder, "x.rrd"), recording());
    const paths = [join(one, "x.rrd"), join(two, "x.rrd"), join(one, ".", "x.rrd"), one];
    const given = await GivenFiles.open(paths, adapter, keptLog());
    assertEquals(await namesOf(given), ["(2) x.rrd", "x.rrd"]);
  });

  it("lead nowhere else by links, neither before nor after they were listed", async () => {
    const [folder, elsewhere] = [newFolder(), newFolder()];
    writeFileSync(join(elsewhere, "secret.rrd"), recording());
    writeFileSync(join(folder, "a.rrd"), recording());
    mkdirSync(join(folder, "sub"));
    writeFileSync(join(folder, "sub", "b.rrd"), recording());
    symlinkSync(join(elsewhere, "secret.rrd"), join(folder, "link.rrd"));
    symlinkSync(elsewhere, join(folder, "linked"));
    const given = await GivenFiles.open([folder], adapter, keptLog());
    assertEquals(await namesOf(given), ["a.rrd", "sub/b.rrd"]);
    const names = ["link.rrd", "linked/secret.rrd", "../a.rrd", "sub/../a.rrd", "./a.rrd", ""];
    for (const name of names) assertEquals(await given.open(name), "missing", name);
    // Swapped behind the server's back.
    rmSync(join(folder, "a.rrd"));
    symlinkSync(join(elsewhere, "secret.rrd"), join(folder, "a.rrd"));
    renameSync(join(folder, "sub"), join(folder, "was"));
    symlinkSync(elsewhere, join(folder, "sub"));
    writeFileSync(join(elsewhere, "b.rrd"), recording());
    assertEquals(await given.open("a.rrd"), "missing");
    assertEquals(await given.open("sub/b.rrd"), "missing");
  });

  it("are refused by name where they are missing, empty, or no recordings", async () => {
    const folder = newFolder();
    writeFileSync(join(folder, "empty.rrd"), "");
    writeFileSync(join(folder, "text.rrd"), "this is no recording at all");
    for (
      const [name, why] of [
        ["missing.rrd", "there is no such file or folder (to write what is logged into it: --save"],
        ["empty.rrd", "it is empty"],
        ["text.rrd", "Not an .rrd file"],
      ] as const
    ) {
      const error = await assertRejects(
        () => GivenFiles.open([join(folder, name)], adapter, keptLog()),
        NotShown,
      );
      assert(error.message.startsWith("Can't show ") && error.message.includes(why), error.message);
    }
    for (
      const [url, shown, fix] of [
        ["nats://user:secret@127.0.0.1:1", "nats://127.0.0.1:1", "to receive from there: --from"],
        [
          "http://127.0.0.1:9090/stream.rrd",
          "http://127.0.0.1:9090/stream.rrd",
          "only files and folders of this machine can be shown: download it first",
        ],
      ] as const
    ) {
      const error = await assertRejects(() => GivenFiles.open([url], adapter, keptLog()), NotShown);
      const why = `there is no such file or folder (${fix})`;
      assertEquals(error.message, `Can't show ${shown}: ${why}`);
    }
  });

  it("are shown once where --save fills their folder", async () => {
    const folder = newFolder();
    writeFileSync(join(folder, "before.rrd"), recording());
    const sink = await rrdFileSink({ path: join(folder, "{recording_id}.rrd"), shelved: true });
    await sink.write(captured("0.22.1-mixed").map((msg) => smart(msg)));
    await sink.write([QUIT]);
    await sink.close();
    const given = await GivenFiles.open([folder], adapter, keptLog());
    assertEquals(await namesOf(given), ["before.rrd", "rec-mixed.rrd"]);
    // From the index, which is beside it.
    const file = (await given.list()).find(({ name }) => name === "rec-mixed.rrd");
    assertEquals([file!.messages, file!.damaged], [34, false]);
    const both = new Shelves();
    for (const shelf of [sink.shelf!, given]) both.add(shelf);
    const all = await both.list();
    assertEquals(all.map(({ name, isOurs }) => [name, isOurs]).toSorted(), [
      ["before.rrd", false],
      ["rec-mixed.rrd", true],
    ]);
    assertEquals(await both.remove("before.rrd"), "foreign");
  });
});

describe("rerelay FILE… --serve-web", () => {
  const PORTS = ["--port", "0", "--ws-server-port", "0", "--web-viewer-port", "0"];

  it("serves files without any SDK, beside the port for SDKs, and what it saves", async () => {
    const folder = newFolder();
    writeFileSync(join(folder, "old.rrd"), recording("0.20.3-mixed"));
    const secret = ["--allow-delete"];
    const saves = ["--save", join(folder, "{recording_id}-{part}.rrd")];
    const cli = new Cli([folder, "--serve-web", ...PORTS, ...secret, ...saves], {
      env: { RERELAY_VIEWER_TOKEN: "secret" },
    });
    const [, url] = await cli.sees(/web viewer at (http:\/\/\S+)\//);
    await cli.sees(/Showing 1 recording of the disk/);
    const headers = { authorization: "Bearer secret" };
    const [file] = await (await fetch(`${url}/files`, { headers })).json();
    assertEquals([file.name, file.sdk, file.deletable], ["old.rrd", "0.20.3", false]);
    const response = await fetch(`${url}/${file.url}`, {
      headers: { ...headers, range: "bytes=0-3" },
    });
    assertEquals([response.status, await response.text()], [206, "RRF2"]);
    const whole = await (await fetch(`${url}/${file.url}`, { headers })).arrayBuffer();
    assertEquals(new Uint8Array(whole), new Uint8Array(readFileSync(join(folder, "old.rrd"))));
    const removal = await fetch(`${url}/${file.url}`, { headers, method: "DELETE" });
    assertEquals(removal.status, 403);
    await removal.body?.cancel();
    const head = await fetch(`${url}/${file.url}`, { headers, method: "HEAD" });
    assertEquals(head.headers.get("content-length"), String(whole.byteLength));
    cli.signal("SIGTERM");
    assertEquals((await cli.ended).code, 0);
  });

  for (
    const [args, code, text] of [
      [["missing.rrd", "--serve-web"], 1, /Can't show missing\.rrd: there is no such file/],
      [["deno.json", "--serve-web"], 1, /Can't show deno\.json: /],
      [["missing.rrd"], 2, /to show it: add --serve-web/],
      [["--serve-web", "--allow-delete"], 2, /--allow-delete is for viewers with a token/],
      [["--allow-delete"], 2, /--allow-delete is about live viewers: add --serve-web/],
    ] as const
  ) {
    it(`${args.join(" ")} ends with ${code} and says why`, async () => {
      const cli = new Cli([...args, ...(code === 1 ? PORTS : [])]);
      const ended = await cli.ended;
      assertEquals(ended.code, code);
      await cli.sees(text);
    });
  }
});
