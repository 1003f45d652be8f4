import { assertEquals } from "@std/assert";
import { describe, it } from "node:test";
import { Link, NAME } from "../../../lib/viewers/page/link.js";

function viewer(shownFrames: number, leftOutFrames: number, bytes: number, messages = 0) {
  const thinned = { shownFrames, leftOutFrames, light: { messages, bytes: 0 } };
  return { id: 7, name: NAME, sent: { messages: 0, bytes }, thinned };
}

const OTHER = { ...viewer(1000, 1000, 1e9), name: undefined };

describe("the page's link", () => {
  it("is told of while images are left out for the page, in frames a second and bytes", () => {
    const link = new Link();
    const texts = [0, 1, 2].map((s) =>
      link.next([viewer(4 * s, 26 * s, 3e6 * s), OTHER], 1000 * s)
    );
    assertEquals(texts, [
      "",
      "Showing 4 of 30 frames a second: this link carries 3.0 MB/s",
      "Showing 4 of 30 frames a second: this link carries 3.0 MB/s",
    ]);
  });

  it("does not say that nothing is shown where a frame comes every few seconds", () => {
    const told = (shown: number, leftOut: number) => {
      const link = new Link();
      link.next([viewer(0, 0, 0)], 0);
      return link.next([viewer(shown, leftOut, 1e6)], 4000).split(":")[0];
    };
    assertEquals(told(1, 39), "Showing fewer than 1 of 10 frames a second");
    assertEquals(told(0, 40), "Showing fewer than 1 of 10 frames a second");
    assertEquals(told(4, 36), "Showing 1 of 10 frames a second");
    assertEquals(told(0, 1), "Showing fewer than 1 of 1 frames a second");
  });

  it("is not told of where it carries all, soon after the last image was left out", () => {
    const link = new Link();
    let left = 0;
    const texts = Array.from({ length: 20 }, (_, s) => {
      if (s === 2) left = 5;
      return link.next([viewer(30 * s, left, 1e6 * s)], 1000 * s) === "";
    });
    assertEquals(texts.indexOf(false), 2);
    assertEquals(texts.lastIndexOf(false), 11);
  });

  it("is told of all the time where a large frame is taken every few seconds", () => {
    const link = new Link();
    const texts = Array.from({ length: 30 }, (_, s) => {
      const frames = Math.floor(s / 6);
      return link.next([viewer(frames, 59 * frames, 9e5 * frames)], 1000 * s);
    });
    assertEquals(texts.slice(6).filter((text) => text === ""), []);
  });

  it("begins anew with another stream, and says nothing of pages that are left out nothing", () => {
    const link = new Link();
    link.next([viewer(100, 100, 1e6)], 0);
    assertEquals(link.next([{ ...viewer(5, 5, 1e6), id: 8 }], 1000), "");
    assertEquals(link.next([{ ...OTHER }], 2000), "");
    assertEquals(link.next([{ ...viewer(0, 0, 0), thinned: undefined }], 3000), "");
    assertEquals(link.next([], 4000), "");
  });

  it("says how many messages are left out where light ones alone are too much", () => {
    const link = new Link();
    link.next([viewer(0, 0, 0)], 0);
    assertEquals(
      link.next([viewer(0, 0, 2e6, 2500)], 2000),
      "1,250 messages a second are left out: this link carries 1.0 MB/s",
    );
  });
});
