import { describe, it } from "node:test";
import { assertEquals, assertRejects } from "@std/assert";
import {
  chmodSync,
  linkSync,
  lstatSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type Belonging, giveAway, takeOver } from "../../lib/adapters/files/take_over.ts";
import { inFolder } from "../cli/cli_process.ts";

const [ALICE, BOB, TEAM, FRIENDS] = [1001, 1002, 2001, 2002];

/** A file that Bob made with these groups: he may give it to another of them, and to nobody else. */
function made(groups: readonly number[]) {
  const now = { uid: BOB, gid: groups[0]!, mode: 0o600, nlink: 1 };
  const file = {
    stat: () => Promise.resolve(now),
    chown: (uid: number, gid: number) => {
      if (uid !== BOB || !groups.includes(gid)) return Promise.reject(new Error("EPERM"));
      return Promise.resolve(void (now.gid = gid));
    },
    chmod: (mode: number) => Promise.resolve(void (now.mode = mode)),
  } as unknown as Parameters<typeof giveAway>[0];
  return { now, file };
}

describe("a file that takes the place of another", () => {
  const cases: [string, number[], Belonging, string | undefined, number, number][] = [
    [
      "stays as it is where nothing is to be changed",
      [FRIENDS],
      { uid: BOB, gid: FRIENDS, mode: 0o102750 },
      undefined,
      ...[FRIENDS, 0o2750] as const,
    ],
    [
      "gets the group that both are in, so that its owner can read it",
      [FRIENDS, TEAM],
      { uid: ALICE, gid: TEAM, mode: 0o106640 },
      "owner",
      ...[TEAM, 0o640] as const,
    ],
    [
      "gives another group no right that was not everybody's",
      [FRIENDS],
      { uid: BOB, gid: TEAM, mode: 0o100664 },
      "group",
      ...[FRIENDS, 0o644] as const,
    ],
    [
      "gives another owner and group no right that was not everybody's",
      [FRIENDS],
      { uid: ALICE, gid: TEAM, mode: 0o106660 },
      "owner and group",
      ...[FRIENDS, 0o600] as const,
    ],
  ];
  for (const [what, groups, old, unkept, gid, mode] of cases) {
    it(what, async () => {
      const { now, file } = made(groups);
      assertEquals(await giveAway(file, old), unkept as Awaited<ReturnType<typeof giveAway>>);
      assertEquals([now.gid, now.mode], [gid, mode]);
    });
  }

  it("is given to nobody if it is a link, or has another name", () =>
    inFolder(async (folder) => {
      const [theirs, path] = [join(folder, "theirs"), join(folder, "new")];
      writeFileSync(theirs, "a");
      chmodSync(theirs, 0o600);
      const old = { ...lstatSync(theirs), mode: 0o100777 };
      symlinkSync(theirs, path);
      await assertRejects(() => takeOver(path, old), Error);
      unlinkSync(path);
      linkSync(theirs, path);
      await assertRejects(() => takeOver(path, old), Error, "another name");
      assertEquals(statSync(theirs).mode & 0o777, 0o600);
    }));
});
