import { assert, assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import {
  filterSubjects,
  recordingSubject,
  subjectNames,
  subjectToken,
  tokenText,
} from "../../lib/nats/subjects.ts";

describe("subjects", () => {
  it("take any name, and give it back", () => {
    for (const text of ["box-7", "", "=", "a.b", "*", ">", "ä ö\n\0", "🤖", "a=41", "\ud800"]) {
      const token = subjectToken(text);
      assert(/^[A-Za-z0-9_=-]+$/.test(token), token);
      assertEquals(tokenText(token), text.toWellFormed());
    }
    const names = { box: "box.7", application: "", recording: "a>b" };
    assertEquals(recordingSubject(names), "rerelay.box=2E7.=.a=3Eb");
    assertEquals(subjectNames(recordingSubject(names)), names);
  });

  it("cut long names so that they still differ, and say where they were cut", () => {
    const [a, b] = ["ä".repeat(5000) + "1", "ä".repeat(5000) + "2"];
    assert(subjectToken(a).length <= 170);
    assert(subjectToken(a) !== subjectToken(b));
    assert(tokenText(subjectToken(a)).endsWith("ä…"));
    assert(subjectToken("ä".repeat(5000)) !== subjectToken("ä".repeat(5001)));
  });

  it("are none of a recording where they have other parts", () => {
    for (const subject of ["rerelay.a.b", "rerelay.a.b.c.d", "other.a.b.c", "rerelay..b.c", ""]) {
      assertEquals(subjectNames(subject), undefined);
    }
  });

  it("are filtered by box, application and recording", () => {
    assertEquals(filterSubjects({}), ["rerelay.*.*.*"]);
    assertEquals(filterSubjects({ boxes: ["a", "b.", "a"], recordings: ["r"] }), [
      "rerelay.a.*.r",
      "rerelay.b=2E.*.r",
    ]);
  });
});
