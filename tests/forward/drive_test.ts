/** What is forwarded while the drive with the recordings is away, and what lies beside them. */
import { describe, it } from "node:test";
import { assert, assertEquals, assertRejects } from "@std/assert";
import { execFileSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { NotAFile } from "../../lib/adapters/files/only_files.ts";
import { loadFileAdapter } from "../../lib/adapters/load.ts";
import { silentLog } from "../../lib/base/log.ts";
import { boxIdentity } from "../../lib/forward/box_identity.ts";
import { Cursor } from "../../lib/forward/cursor.ts";
import { cursorPath, forwardTo } from "../../lib/forward/forward_to.ts";
import { NatsPosition } from "../../lib/forward/nats_position.ts";
import { rrdFileSink } from "../../lib/sinks/file/rrd_file.ts";
import type { FollowedFiles } from "../../lib/sinks/file/parts/follower.ts";
import { keptLog } from "../sinks/messages.ts";
import { announcement, chunk, received } from "./chunks.ts";
import { fakeTarget } from "./fake_target.ts";
import { soon, until } from "./until.ts";

const PATTERN = "{recording_id}-{part}.rrd";
const skip = process.platform === "win32" && "has neither inode numbers nor pipes";

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "rerelay-drive-"));
  try {
    await run(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function messages(recording: string, count: number) {
  const chunks = Array.from({ length: count }, (_, i) => received(chunk(recording, i)));
  return [received(announcement(recording)), ...chunks];
}

describe("forwardTo from a drive", { skip }, () => {
  it("waits for it, though its mount point is a folder that takes new recordings", () =>
    inFolder(async (folder) => {
      const [mounted, drive, bare] = ["mounted", "drive", "bare"].map((name) => join(folder, name));
      const path = join(mounted!, PATTERN);
      const first = await rrdFileSink({ path });
      for (const message of messages("a", 9)) await first.write([message]);
      await first.close();
      // It waits for its chunk index, too, and is not dropped for that.
      const index = join(mounted!, `${PATTERN}.index.jsonl`);
      const lines = readFileSync(index, "utf8");
      writeFileSync(index, lines.replaceAll('"footer":"none"', '"footer":"pending"'));

      let isAway = () => {};
      const away = new Promise<void>((resolve) => isAway = resolve);
      const files = await loadFileAdapter();
      const slow = {
        ...files,
        async openAt(path: string) {
          if (path.includes("a-0001")) await away;
          return await files.openAt(path);
        },
        async kind(path: string) {
          if (path.endsWith("a-0001.rrd")) await away;
          return await files.kind(path);
        },
      };
      const [log, target] = [keptLog(), fakeTarget()];
      const forwarder = forwardTo(target, { random: () => 0 });
      const followers = [forwarder];
      const sink = await rrdFileSink({
        ...{ path, files: slow, log, timer: soon, followers, chunkIndex: true },
      });
      renameSync(mounted!, drive!);
      mkdirSync(mounted!);
      for (const message of messages("b", 9)) await sink.write([message]);
      await until(() => existsSync(index) && target.taken.length === 9);
      // Its index is not that of the drive, of which nothing is here.
      assert(!readFileSync(index, "utf8").includes("a-0001"));
      isAway();
      await until(() => log.of("warn").some((text) => /a-0001.*can't be read now/.test(text)));
      await until(() => log.of("warn").some((text) => /a-0001.*it is not there now/.test(text)));
      assert(forwarder.stats.lagBytes > 0);
      renameSync(mounted!, bare!);
      renameSync(drive!, mounted!);
      await until(() => target.taken.length === 18);
      assertEquals(target.taken.slice(9), Array.from({ length: 9 }, (_, i) => `a ${i}`));
      assertEquals(log.of("error").filter((text) => text.includes("a-0001")), []);
      await sink.close().catch(() => {}); // what was being written is gone with the other folder
      // The cursor is on the drive again.
      const adapter = files;
      const place = cursorPath({ folder: `${mounted}/`, name: PATTERN }, target.name);
      const cursor = await Cursor.open({
        ...{ path: place, adapter, log: silentLog, now: () => 0, target: target.name },
      });
      assert([...cursor.files].some((file) => cursor.placeOf(file) === "done"));
    }));

  it("gives up what was removed with its folder, which was made anew", () =>
    inFolder(async (folder) => {
      const mounted = join(folder, "mounted");
      const path = join(mounted, PATTERN);
      const first = await rrdFileSink({ path });
      for (const message of messages("a", 9)) await first.write([message]);
      await first.close();
      const [log, target] = [keptLog(), fakeTarget()];
      let isOpen = false;
      target.before = () => {
        if (!isOpen) throw new Error("unplugged");
      };
      // Nothing of it is in memory.
      const files = await loadFileAdapter();
      const { promise: removed, resolve: isRemoved } = Promise.withResolvers<void>();
      const slow = {
        ...files,
        async openAt(path: string) {
          if (path.includes("a-0001")) await removed;
          return await files.openAt(path);
        },
      };
      let journal: FollowedFiles["journal"] | undefined;
      const follower = {
        name: "looks",
        open: (files: FollowedFiles) => Promise.resolve(void (journal = files.journal)),
        close: () => Promise.resolve(),
      };
      const forwarder = forwardTo(target, { random: () => 0 });
      const keep = { bytes: 3000 };
      const sink = await rrdFileSink({
        ...{ path, files: slow, log, timer: soon, followers: [forwarder, follower], keep },
      });
      for (const message of messages("b", 9)) await sink.write([message]);
      rmSync(mounted, { recursive: true });
      mkdirSync(mounted);
      isRemoved();
      isOpen = true;
      for (const message of messages("c", 9)) await sink.write([message]);
      await until(() => target.taken.includes("c 8"));
      await until(() => forwarder.stats.lagBytes === 0);
      assert(log.of("error").some((text) => text.startsWith("The rest of a-0001.rrd")));
      // The new folder is that of the recordings now: what is missing with it may come back.
      const other = join(folder, "other");
      isOpen = false;
      for (const message of messages("d", 9)) await sink.write([message]);
      renameSync(mounted, other);
      mkdirSync(mounted);
      for (const message of messages("e", 9)) await sink.write([message]);
      await until(() => existsSync(join(mounted, `${PATTERN}.index.jsonl`)));
      assertEquals(await journal!.isAway(), true);
      await sink.close().catch(() => {}); // what was being written is gone
    }));

  it("gives up a file that alone was removed", () =>
    inFolder(async (folder) => {
      const path = join(folder, PATTERN);
      const first = await rrdFileSink({ path });
      for (const message of messages("a", 9)) await first.write([message]);
      await first.close();
      rmSync(join(folder, "a-0001.rrd"));
      const log = keptLog();
      const followers = [forwardTo(fakeTarget(), { random: () => 0 })];
      const sink = await rrdFileSink({ path, log, timer: soon, followers });
      await until(() => log.of("error").length > 0);
      assert(log.of("error")[0]!.startsWith("The rest of a-0001.rrd can't be forwarded"));
      await sink.close();
    }));
});

describe("what lies beside recordings", { skip }, () => {
  /** Opens everything that reads or writes a file of that name. */
  async function openAll(folder: string): Promise<void> {
    const adapter = await loadFileAdapter();
    const cursor = await Cursor.open({
      ...{ path: join(folder, "cursor"), adapter, log: silentLog, now: () => 0, target: "x" },
    });
    await cursor.note("a", "done");
    await cursor.close();
    if (cursor.failure !== undefined) throw cursor.failure;
    await boxIdentity(`${folder}/`, adapter);
    const position = new NatsPosition();
    const sink = await rrdFileSink({ path: join(folder, PATTERN), followers: [position] });
    position.onClosed = () => undefined;
    await position.start(AbortSignal.abort());
    await position.note({ seq: 7, seen: [], beyond: [] } as never, sink)
      .finally(() => sink.close());
  }

  for (const name of ["cursor", ".rerelay-box.json", `${PATTERN}.from-nats.json`]) {
    for (const path of [name, `${name}.new`]) {
      for (const what of ["pipe", "folder"]) {
        it(`says that a ${what} is called ${path}, and does not wait for it`, () =>
          inFolder(async (folder) => {
            if (what === "pipe") execFileSync("mkfifo", [join(folder, path)]);
            else mkdirSync(join(folder, path));
            const error = await assertRejects(() => openAll(folder), NotAFile);
            assertEquals(error.path, join(folder, path));
            rmSync(join(folder, path), { recursive: true });
            await openAll(folder);
            await openAll(folder);
          }));
      }
    }
  }

  it("is found where a link leads to it", () =>
    inFolder(async (folder) => {
      const real = join(folder, "real");
      mkdirSync(real);
      writeFileSync(join(real, "box"), '{"box":"0123456789abcdef"}\n');
      execFileSync("ln", ["-s", join(real, "box"), join(folder, ".rerelay-box.json")]);
      assertEquals(
        await boxIdentity(`${folder}/`, await loadFileAdapter()),
        "0123456789abcdef",
      );
    }));
});
