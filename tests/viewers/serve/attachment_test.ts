import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { attachment } from "../../../lib/viewers/serve/attachment.ts";

/** The name that a client which reads RFC 8187 gives the file. */
function nameOf(header: string): string {
  const [, text = ""] = /; filename\*=UTF-8''([\w!#$&+.^`|~%-]+)$/.exec(header) ?? [];
  return decodeURIComponent(text);
}

describe("the name of a download", () => {
  it("is what the recording is called", () => {
    assertEquals(attachment("rec-1.5_b"), 'attachment; filename="rec-1.5_b.rrd"');
    assertEquals(
      attachment("日本"),
      "attachment; filename=\"_.rrd\"; filename*=UTF-8''%E6%97%A5%E6%9C%AC.rrd",
    );
    // Two long names that differ at their ends stay two.
    const long = `${"warehouse-robot-".repeat(8)}0001`;
    assertEquals(attachment(long), `attachment; filename="${long}.rrd"`);
    for (
      const name of [
        "run 7 (2)",
        "50%#1",
        "Prüfstand (3)",
        "it's *日本* 🤖".replaceAll("*", "!"),
        "пробег №5",
      ]
    ) {
      assertEquals(nameOf(attachment(name)), `${name}.rrd`);
    }
  });

  it("leads nowhere, shows as it is, and is no longer than file systems take", () => {
    assertEquals(nameOf(attachment('../日/本\\x:*?"<>|y')), "__日_本_x_y.rrd");
    assertEquals(attachment("sub/run"), 'attachment; filename="sub_run.rrd"');
    assertEquals(attachment(""), 'attachment; filename="recording.rrd"');
    for (const hostile of ["a b\r\n", "日\r\n", "日\u202eb", "日\ud800", "日\0"]) {
      assert(!attachment(hostile).includes("filename*"), JSON.stringify(hostile));
    }
    assertEquals(nameOf(attachment("...日")), "_日.rrd");
    for (const name of ["日".repeat(500), "🤖".repeat(500), "é".repeat(500)]) {
      const shown = nameOf(attachment(name));
      const { length } = new TextEncoder().encode(shown);
      assert(length > 190 && length <= 204, `${length}`);
      assert(shown.isWellFormed());
    }
  });
});
