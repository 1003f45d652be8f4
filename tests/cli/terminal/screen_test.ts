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
});
