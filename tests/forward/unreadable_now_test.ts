import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { RerelayError } from "../../lib/base/errors.ts";
import { isUnreadableNow } from "../../lib/forward/_unreadable_now.ts";

function error(message: string, code?: string): Error {
  return Object.assign(new Error(message), code === undefined ? {} : { code });
}

describe("isUnreadableNow", () => {
  it("tells what passes from what stays, by the system's code or number", () => {
    for (
      const [what, passes] of [
        [error("EMFILE: too many open files", "EMFILE"), true],
        [error("Too many open files (os error 24): open 'a'"), true],
        [error("Permission denied (os error 13)", "EACCES"), true],
        [error("No such file or directory (os error 2)", "ENOENT"), false],
        [error("Input/output error (os error 5)"), false],
        [error("Is a directory", "EISDIR"), false],
        [error("a.rrd is shorter than it was"), false],
        [new RerelayError("Damaged at byte 24 (os error 24)"), false],
      ] as const
    ) assertEquals([what.message, isUnreadableNow(what)], [what.message, passes]);
  });
});
