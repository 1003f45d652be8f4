import { describe, it } from "node:test";
import { assert, assertEquals, assertThrows } from "@std/assert";
import {
  isNameOf,
  numberOf,
  parseSavePattern,
  renderName,
} from "../../../lib/sinks/file/save_pattern.ts";
import { seeded } from "../../random.ts";

const date = new Date("2026-01-31T23:59:58.999Z");
const values = { applicationId: "app", recordingId: "rec", date, part: 3 };

const NASTY = [
  "/",
  "\\",
  "..",
  "../../etc/passwd",
  ".",
  "",
  " ",
  "\0",
  "\x1b[2J",
  "\u202e",
  "\ud800",
  "a\nb",
  "{part}",
  "C:\\x",
  "%2e%2e",
  "é".repeat(300),
  "😀".repeat(100),
  "x".repeat(10_000),
  "con.rrd.part",
];

describe("renderName", () => {
  it("fills in every word", () => {
    const pattern = parseSavePattern(
      "a/b/{application_id}_{recording_id}_{date}_{time}_{part}.rrd",
    );
    assertEquals(pattern.folder, "a/b/");
    assertEquals(renderName(pattern, values), "app_rec_2026-01-31_23-59-58_0003.rrd");
  });

  it("numbers names that have no part", () => {
    const pattern = parseSavePattern("{recording_id}.rrd");
    assertEquals(renderName(pattern, { ...values, part: 1 }), "rec.rrd");
    assertEquals(renderName(pattern, values), "rec.3.rrd");
    assertEquals(renderName(parseSavePattern("a"), { ...values, part: 1 }), "a");
  });

  it("makes safe names of whatever clients send, which are the pattern's", () => {
    const random = seeded(5);
    const pick = () => NASTY[Math.floor(random() * NASTY.length)]!;
    for (const text of ["{recording_id}.rrd", "x{application_id}-{recording_id}-{part}.rrd"]) {
      const pattern = parseSavePattern(text);
      for (let i = 0; i < 2000; i++) {
        const [applicationId, recordingId] = [pick() + pick(), pick() + pick()];
        const part = i % 3 === 0 ? 99_999 : 1;
        const name = renderName(pattern, { applicationId, recordingId, date, part });
        // deno-lint-ignore no-control-regex -- that is what must not be there
        assert(!/[/\\\0-\x1f\x7f]|\.\.|^\./.test(name), JSON.stringify(name));
        assert(name.isWellFormed() && name.endsWith(".rrd"));
        assert(new TextEncoder().encode(`${name}.part`).length <= 255);
        assert(isNameOf(pattern, name) && isNameOf(pattern, `${name}.part`, ".part"));
      }
    }
  });
});

describe("isNameOf", () => {
  it("knows only its own", () => {
    const fixed = parseSavePattern("a+b.rrd");
    for (const name of ["a+b.rrd", "a+b.2.rrd"]) assert(isNameOf(fixed, name));
    for (const name of ["aab.rrd", "a+b.rrd.part", "xa+b.rrd", "a+b.rrdx", "a+b.x.rrd"]) {
      assert(!isNameOf(fixed, name), name);
    }
    assert(!isNameOf(parseSavePattern("run-{part}.rrd"), "ran-0001.rrd"));
  });

  it("wants something in place of each word, and no folders", () => {
    const pattern = parseSavePattern("a{application_id}{recording_id}-{part}b.rrd");
    for (const name of ["axy-0001b.rrd", "axy-z-0001b.7.rrd", "ax--1b.rrd", "a----b.rrd"]) {
      assert(isNameOf(pattern, name), name);
    }
    for (
      const name of [
        "ax-0001b.rrd",
        "axy-b.rrd",
        "a--b.rrd",
        "a/y-0001b.rrd",
        "ab.rrd",
        "a\\y-1b.rrd",
      ]
    ) {
      assert(!isNameOf(pattern, name), name);
    }
  });
});

describe("names with many ways to split them", () => {
  const pattern = parseSavePattern("{application_id}-{recording_id}-{date}-{time}-{part}.rrd");
  const ids = ["-", "0", "2026-01-31-", ".1.rrd"].map((text) => `a${text.repeat(300)}`);
  const names = ids.map((id) =>
    renderName(pattern, { applicationId: id, recordingId: id, date, part: 7 })
  );

  it("are looked at in no more time than others", () => {
    for (const name of names) {
      assert(isNameOf(pattern, name));
      assert(!isNameOf(pattern, name, ".part"));
      assert(!isNameOf(pattern, `${name}x`));
      assertEquals(numberOf(pattern, name)?.part, 7);
      assertEquals(numberOf(pattern, `${name}x`), undefined);
    }
  });
});

describe("numberOf", () => {
  it("tells a part's number, and parts of one recording from others", () => {
    const pattern = parseSavePattern("{date}_{part}_{recording_id}.rrd");
    const one = { recording: '["","_","_one.rrd"]', part: 12 };
    assertEquals(numberOf(pattern, "2026-01-31_0012_one.rrd"), one);
    assertEquals(numberOf(pattern, "2027-02-01_0012_one.rrd"), one);
    assertEquals(numberOf(pattern, "2026-01-31_10000_two.rrd")?.part, 10_000);
    assertEquals(numberOf(pattern, "2026-01-31_x_one.rrd"), undefined);
    assertEquals(numberOf(parseSavePattern("{recording_id}.rrd"), "0012.rrd"), undefined);
  });

  it("finds the number where a word is in the pattern twice", () => {
    const twice = parseSavePattern("{recording_id}-{recording_id}-{part}.rrd");
    assertEquals(numberOf(twice, "one-one-0012.rrd")?.part, 12);
    const parts = parseSavePattern("{part}-{part}-{recording_id}.rrd");
    assertEquals(numberOf(parts, "0012-0012-one.rrd")?.part, 12);
  });

  it("takes no number of a file of others that is too long to count on from", () => {
    const pattern = parseSavePattern("{recording_id}-{part}.rrd");
    assertEquals(numberOf(pattern, "one-1764440649123456789.rrd"), undefined);
    assertEquals(numberOf(pattern, `one-${"9".repeat(200)}.rrd`), undefined);
    assertEquals(numberOf(pattern, "one-999999999.rrd")?.part, 999_999_999);
  });
});

describe("parseSavePattern", () => {
  it("refuses what it does not understand", () => {
    const wrong = {
      "{x}.rrd": "{x}",
      "{part}/a.rrd": "folder",
      "{part}.mcap": ".rrd",
      "s3://b/a.rrd": "forward",
    };
    for (const [text, why] of Object.entries(wrong)) {
      assertThrows(() => parseSavePattern(text), RangeError, why);
    }
    const long = `${"x".repeat(230)}{recording_id}.rrd`;
    assertThrows(() => parseSavePattern(long), RangeError, "too long");
  });
});
