import { describe, it } from "node:test";
import { assertEquals } from "@std/assert";
import { screen } from "../../../lib/cli/terminal/screen.ts";

describe("screen", () => {
  it("writes plain lines while no status is shown", () => {
    const written: string[] = [];
    screen((text) => written.push(text)).line("one");
    assertEquals(written, ["one\n"]);
  });

  it("keeps the status line below the lines, and takes it away", () => {
    const written: string[] = [];
    const both = screen((text) => written.push(text));
    both.status("s1");
    both.line("one");
    both.status("s1");
    both.status("s2");
    both.status(undefined);
    both.line("two");
    assertEquals(written, [
      "\r\x1b[Ks1",
      "\r\x1b[Kone\ns1",
      "\r\x1b[Ks2",
      "\r\x1b[K",
      "two\n",
    ]);
  });

  /** A writer that takes a text when it is told to. */
  function held(maxWaiting: number) {
    const written: string[] = [];
    let done = (_: boolean) => {};
    const both = screen((text) => {
      written.push(text);
      return new Promise<boolean>((resolve) => done = resolve);
    }, { maxWaiting, leftOut: (lines) => `(${lines} missing)` });
    const take = async (isWhole = true) => {
      done(isWhole);
      await Promise.resolve();
      await Promise.resolve();
    };
    return { written, both, take };
  }

  it("waits for nobody: keeps the first lines, counts the others, and shows the last status", async () => {
    const { written, both, take } = held(8);
    both.status("s1");
    for (const text of ["one", "two", "three", "6"]) both.line(text);
    for (const text of ["s2", "s3"]) both.status(text);
    assertEquals(written, ["\r\x1b[Ks1"]);
    await take();
    assertEquals(written.slice(1), ["\r\x1b[Kone\ntwo\n(2 missing)\ns3"]);
    both.line("four");
    await take();
    assertEquals(written.slice(2), ["\r\x1b[Kfour\ns3"]);
    await take();
    both.line("five");
    assertEquals(written.slice(3), ["\r\x1b[Kfive\ns3"]);
  });

  it("says with the next line how many could not be written", async () => {
    const { written, both, take } = held(100);
    both.line("one");
    both.line("two");
    await take(false);
    assertEquals(written.slice(1), ["(1 missing)\ntwo\n"]);
    await take(false);
    assertEquals(written.length, 2);
    both.line("three");
    assertEquals(written.slice(2), ["(2 missing)\nthree\n"]);
    await take();
    both.line("four");
    assertEquals(written.slice(3), ["four\n"]);
  });
});
